import { type Logger, messageOf } from '@berth/base'
import { forgetDatagrams } from '@berth/linux'

export interface FlowForgetterOptions {
  readonly logger: Logger
  /** Default: the kernel's. */
  readonly forget?: typeof forgetDatagrams | undefined
}

interface Pass {
  readonly ports: Set<number>
  readonly done: Promise<void>
}

/** Long enough for all the flows that a kernel follows by default; a container waits as long for its start or end. */
const passMs = 10_000

/**
 * Has the kernel forget flows of datagrams: one pass through all that it follows at a time, for all the ports that have
 * been named meanwhile.
 */
export class FlowForgetter {
  readonly #options: FlowForgetterOptions
  #last: Promise<void> = Promise.resolve()
  /** Not begun yet. */
  #next: Pass | undefined

  constructor(options: FlowForgetterOptions) {
    this.#options = options
  }

  /** Never rejects: a port is published, or is not, whatever becomes of the flows. */
  async forget(ports: ReadonlySet<number>): Promise<void> {
    if (ports.size === 0) return
    const pass = (this.#next ??= this.#plan())
    for (const port of ports) pass.ports.add(port)
    await pass.done
  }

  #plan(): Pass {
    const ports = new Set<number>()
    const done = this.#last.then(() => this.#run(ports))
    this.#last = done
    return { ports, done }
  }

  async #run(ports: ReadonlySet<number>): Promise<void> {
    this.#next = undefined
    const { logger, forget = forgetDatagrams } = this.#options
    try {
      await forget(ports, AbortSignal.timeout(passMs))
    } catch (error) {
      logger.warn({ ports: [...ports], error: messageOf(error) }, 'datagrams of flows may go on where they went')
    }
  }
}
