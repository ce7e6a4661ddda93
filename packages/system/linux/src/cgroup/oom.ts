import { closeSync, constants, existsSync, openSync, readFileSync, readSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '@berth/base'
import { eventfd, pollFd } from '../process/descriptors.ts'
import { type Cgroups } from './detect.ts'
import { controllerPath } from './cgroup.ts'

/**
 * Calls `onOom` each time the cgroup runs out of memory (v1) or the OOM killer has struck it (v2); `oomKillCount` tells
 * for certain after the exit. Dispose it before the cgroup is removed. Never
 * keeps the event loop alive. Undefined where there is no memory controller.
 */
export function watchOom(cgroups: Cgroups, cgroupsPath: string, onOom: () => void): Disposable | undefined {
  const path = controllerPath(cgroups, 'memory', cgroupsPath)
  if (path === undefined) return undefined
  return cgroups.version === 2 ? watchV2(path, onOom) : watchV1(path, onOom)
}

/** An eventfd registered in cgroup.event_control (Documentation/admin-guide/cgroup-v1/memory.rst, 9 and 10). */
function watchV1(path: string, onOom: () => void): Disposable {
  const control = openSync(`${path}/memory.oom_control`, constants.O_RDONLY)
  const event = eventfd()
  const count = Buffer.alloc(8)
  const poll = pollFd(event, { readable: true }, () => {
    readSync(event, count)
    // Removing the cgroup signals too. The kill itself is counted only after the signal.
    if (existsSync(`${path}/memory.oom_control`)) onOom()
  })
  poll.unref()
  const close = () => {
    poll.close()
    closeSync(event)
    closeSync(control)
  }
  try {
    writeFileSync(`${path}/cgroup.event_control`, `${event} ${control}`)
  } catch (error) {
    close()
    throw error
  }
  return { [Symbol.dispose]: close }
}

/** memory.events changes notify inotify watchers (Documentation/admin-guide/cgroup-v2.rst). */
function watchV2(path: string, onOom: () => void): Disposable {
  const file = join(path, 'memory.events')
  let seen = readCount(file)
  const watcher = watch(file, { persistent: false }, () => {
    const now = readCount(file)
    if (now > seen) onOom()
    seen = now
  })
  return { [Symbol.dispose]: () => watcher.close() }
}

/** How often the OOM killer struck a cgroup in its life; 0 when it is gone. For looking once, after an exit. */
export function oomKillCount(cgroups: Cgroups, cgroupsPath: string): number {
  const path = controllerPath(cgroups, 'memory', cgroupsPath)
  if (path === undefined) return 0
  return readCount(join(path, cgroups.version === 2 ? 'memory.events' : 'memory.oom_control'))
}

function readCount(file: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, 'latin1'))?.[1] ?? 0)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENODEV') return 0
    throw error
  }
}
