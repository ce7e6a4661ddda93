import { cutShortTests } from './cut-short-tests.ts'

cutShortTests('berth registry serve')
