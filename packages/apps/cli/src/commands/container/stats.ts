import type { ContainerStatsResponse } from '@berth/engine-api'
import type { Cli } from '../../cli.ts'
import { atLeast, defineCommand } from '../../command.ts'
import { describeFailure, StatusError } from '../../errors.ts'
import { boolean, string } from '../../flags/flag.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { renderText } from '../../output/view.ts'
import { measure, type StatsRow, statsView } from './stats-view.ts'

const refreshMs = 500

export const command = defineCommand({
  usage: '[OPTIONS] [CONTAINER...]',
  summary: 'Display a live stream of container(s) resource usage statistics',
  aliases: ['container stats', 'stats'],
  count: atLeast(0),
  flags: {
    all: boolean('a,all', 'Show all containers (default shows just running)'),
    format: string('format', tableFormatHelp),
    noStream: boolean('no-stream', 'Disable streaming stats and only pull the first result'),
    noTrunc: boolean('no-trunc', 'Do not truncate output'),
  },
  async run(cli, { args, flags }) {
    const format = flags.format === '' ? (cli.config.statsFormat ?? '') : flags.format
    const board = new StatsBoard(cli, { format, truncate: !flags.noTrunc, stream: !flags.noStream })
    const names = args.length > 0 ? args : await listContainers(cli, flags.all)
    const collecting = Promise.allSettled(names.map((name) => board.collect(name)))
    if (flags.noStream) {
      await collecting
      board.failIfNamed(args.length > 0)
      return board.print()
    }
    await board.waitForFirst(names)
    board.failIfNamed(args.length > 0)
    await board.repaint(args.length > 0 ? collecting : board.followStarts())
    board.failIfNamed(args.length > 0)
  },
})

async function pause(): Promise<false> {
  await new Promise((resolve) => setTimeout(resolve, refreshMs))
  return false
}

async function listContainers(cli: Cli, all: boolean): Promise<string[]> {
  const containers = await cli.engine.containers.list({ all: all || undefined })
  return containers.map(({ Id }) => Id.slice(0, 12))
}

interface BoardOptions {
  readonly format: string
  readonly truncate: boolean
  readonly stream: boolean
}

/** The newest numbers of every container, and the screen that shows them. */
class StatsBoard {
  readonly #cli: Cli
  readonly #options: BoardOptions
  readonly #rows = new Map<string, StatsRow>()
  readonly #failures: string[] = []
  readonly #first = new Map<string, PromiseWithResolvers<void>>()

  constructor(cli: Cli, options: BoardOptions) {
    this.#cli = cli
    this.#options = options
  }

  /** Keeps the row of one container up to date until it ends. */
  async collect(name: string): Promise<void> {
    const first = Promise.withResolvers<void>()
    this.#first.set(name, first)
    this.#rows.set(name, { container: name, name: '', id: '', sample: undefined })
    try {
      for await (const sample of this.#cli.engine.containers.stats(name, this.#options.stream)) {
        this.#rows.set(name, rowOf(name, sample))
        first.resolve()
      }
    } catch (error) {
      this.#failures.push(describeFailure(error))
    }
    if (this.#options.stream) this.#rows.delete(name)
    first.resolve()
  }

  async waitForFirst(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#first.get(name)?.promise))
  }

  /** Only containers that were asked for by name have to be there. */
  failIfNamed(named: boolean): void {
    if (named && this.#failures.length > 0) throw new StatusError(1, this.#failures.join('\n'))
  }

  async print(): Promise<void> {
    this.#cli.out(await this.#text())
  }

  /** Repaints until `until` settles; throws what it is rejected with. */
  async repaint(until: Promise<unknown>): Promise<void> {
    const ended = until.then(() => true)
    this.#cli.out('\u001B[2J')
    do {
      const screen = (await this.#text()).replaceAll('\n', '\u001B[K\n')
      this.#cli.out(`\u001B[H${screen}\u001B[J`)
    } while (!(await Promise.race([ended, pause()])))
  }

  /** Adds the containers that start from now on; rejects when the engine is gone. */
  async followStarts(): Promise<never> {
    const filters = { type: ['container'], event: ['start'] }
    for await (const event of this.#cli.engine.system.events({ filters })) {
      const name = event.Actor.ID.slice(0, 12)
      if (!this.#rows.has(name)) void this.collect(name)
    }
    throw new StatusError(1, 'the daemon ended its stream of events')
  }

  #text(): Promise<string> {
    const defaults = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs']
    const view = statsView(this.#options.truncate)
    const { format, truncate } = this.#options
    const width = this.#cli.isTerminal(1) ? process.stdout.columns : undefined
    const options = { format, defaults, fit: truncate ? fit : undefined }
    return renderText([...this.#rows.values()], view, options, width)
  }
}

/** What is told of elsewhere goes first. */
const fit = { shrink: {}, drop: ['MEM %', 'PIDS', 'BLOCK I/O'] }

function rowOf(container: string, sample: ContainerStatsResponse): StatsRow {
  return { container, name: sample.name.replace(/^\//, ''), id: sample.id, sample: measure(sample) }
}
