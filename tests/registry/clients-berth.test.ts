import { clientTests } from './client-tests.ts'

clientTests('berth registry serve')
