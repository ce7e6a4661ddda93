import { pullTests } from './pull-tests.ts'

pullTests('berth registry serve')
