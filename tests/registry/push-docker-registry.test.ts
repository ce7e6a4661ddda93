import { pushTests } from './push-tests.ts'

pushTests('docker-registry')
