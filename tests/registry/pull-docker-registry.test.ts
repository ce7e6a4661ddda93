import { pullTests } from './pull-tests.ts'

pullTests('docker-registry')
