import { describe } from 'node:test'
import { Cli, type CliProgram, useEngine } from '@berth/testing'
import { testConfinement } from './confinement.ts'
import { testExec } from './exec.ts'
import { testImages } from './images.ts'
import { testLifecycle } from './lifecycle.ts'
import { testLogs } from './logs.ts'
import { testRun } from './run.ts'
import { testVolumes } from './volumes.ts'

/** What users of docker's command line rely on, held against one program. */
export function testCli(program: CliProgram): void {
  const cli = new Cli(program, useEngine({ images: ['busybox', 'hello-world'] }))
  describe('run', () => testRun(cli))
  describe('confinement', () => testConfinement(cli))
  describe('lifecycle', () => testLifecycle(cli))
  describe('exec', () => testExec(cli))
  describe('logs', () => testLogs(cli))
  describe('images', () => testImages(cli))
  describe('volumes', () => testVolumes(cli))
}
