import type { TestDaemon } from './daemon.ts'
import { until } from './until.ts'

interface Finding {
  readonly Kind: string
  readonly Message: string
}

/** Waits until the engine's own check of its store finds nothing; throws what it finds after five seconds. */
export async function requireSound({ api }: Pick<TestDaemon, 'api'>): Promise<void> {
  let findings: readonly Finding[] = []
  const isSound = async () => {
    findings = ((await api.json('POST', '/berth/check')) as { Findings: readonly Finding[] }).Findings
    return findings.length === 0
  }
  try {
    await until(isSound, 5000)
  } catch (error) {
    throw new Error(findings.map(({ Kind, Message }) => `${Kind}: ${Message}`).join('\n'), { cause: error })
  }
}
