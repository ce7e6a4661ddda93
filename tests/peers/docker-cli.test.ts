import { testCli } from '../contract/all.ts'

testCli('docker')
