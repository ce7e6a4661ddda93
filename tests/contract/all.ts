import { Cli, type CliProgram, useEngine } from '@berth/testing'
import { testConfinement } from './confinement.ts'
import { testRun } from './run.ts'

/** What users of docker's command line rely on, held against one program. */
export function testCli(program: CliProgram): void {
  const cli = new Cli(program, useEngine({ images: ['busybox', 'hello-world'] }))
  testRun(cli)
  testConfinement(cli)
}
