import { fault } from '@berth/base'
import type { LayerWorker } from '@berth/storage'
import { existsSync } from 'node:fs'
import { mkdir, opendir } from 'node:fs/promises'
import type { VolumePhase } from './store.ts'
import type { Fill } from './volumes.ts'

/** A volume to be filled. Its lock is held, its device mounted. */
export interface FillTarget {
  readonly data: string
  readonly staging: string
  readonly worker: LayerWorker
  readonly setPhase: (phase: VolumePhase) => void
}

/**
 * Fills an empty volume: beside it first, then by renames, so that nobody ever sees half a file. What containers have
 * mounted stays the same directory.
 */
export async function fillVolume(target: FillTarget, fill: Fill): Promise<void> {
  if (!(await isEmpty(target.data))) return
  target.setPhase('copying')
  fault('fill: copying')
  try {
    await mkdir(target.staging, { mode: 0o700 })
    const result = await fill(target.staging)
    fault('fill: copied')
    if (result === 'absent') return await clear(target)
  } catch (error) {
    await clear(target)
    throw error
  }
  target.setPhase('moving')
  fault('fill: moving')
  await moveIn(target)
}

/** Ends what a crash has cut short: what was incomplete goes, what was complete moves in. */
export async function finishFill(phase: VolumePhase, target: FillTarget): Promise<void> {
  if (phase === 'copying') await clear(target)
  if (phase === 'moving') await moveIn(target)
}

async function moveIn(target: FillTarget): Promise<void> {
  if (existsSync(target.staging)) await target.worker.run('move', { from: target.staging, to: target.data })
  fault('fill: moved')
  await clear(target)
}

async function clear({ staging, worker, setPhase }: FillTarget): Promise<void> {
  if (existsSync(staging)) await worker.run('remove', { paths: [staging] })
  setPhase('ready')
}

async function isEmpty(directory: string): Promise<boolean> {
  await using entries = await opendir(directory)
  return (await entries.read()) === null
}
