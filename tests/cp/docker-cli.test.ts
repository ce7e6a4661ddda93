import { Cli, useEngine } from '@berth/testing'
import { describe } from 'node:test'
import { testCopy } from './command.ts'

const engine = useEngine()
describe('docker cp', () => testCopy(new Cli('docker', engine)))
