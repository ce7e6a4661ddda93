import { clientTests } from './client-tests.ts'

clientTests('docker-registry')
