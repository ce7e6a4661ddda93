import { pushTests } from './push-tests.ts'

pushTests('berth registry serve')
