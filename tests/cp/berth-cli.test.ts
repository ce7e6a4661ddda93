import { Cli, useEngine } from '@berth/testing'
import { describe } from 'node:test'
import { testCopy } from './command.ts'

const engine = useEngine()
describe('berth cp', () => testCopy(new Cli('berth', engine)))
