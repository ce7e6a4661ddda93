import { cutShortTests } from './cut-short-tests.ts'

cutShortTests('docker-registry')
