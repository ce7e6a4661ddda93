import type { EventMessage } from '@berth/engine-api'
import { humanSize } from '../../output/units.ts'

/** An event in a sentence, with what to do about it where something went wrong. */
export interface Explanation {
  readonly text: string
  readonly advice?: string
}

/** Explains the events of one stream: some are only understood by those before them. */
export class EventExplainer {
  /** Containers that ran out of memory, or were asked to stop, and have not died yet. */
  readonly #outOfMemory = new Set<string>()
  readonly #signals = new Map<string, string>()

  explain(event: EventMessage): Explanation {
    if (event.Action === 'prune') {
      const freed = humanSize(Number(event.Actor.Attributes?.['reclaimed'] ?? 0))
      return { text: `unused ${event.Type}s were removed, which freed ${freed}` }
    }
    switch (event.Type) {
      case 'container':
        return this.#container(event)
      case 'network':
        return { text: explainNetwork(event) }
      case 'volume':
        return { text: `volume ${event.Actor.ID} was ${pastOf(event.Action)}` }
      case 'image':
        return { text: `image ${event.Actor.Attributes?.['name'] ?? event.Actor.ID} was ${pastOf(event.Action)}` }
      default:
        return { text: `${event.Type} ${event.Actor.ID} was ${pastOf(event.Action)}` }
    }
  }

  #container({ Action, Actor }: EventMessage): Explanation {
    const { ID, Attributes: attributes = {} } = Actor
    const name = attributes['name'] ?? ID.slice(0, 12)
    const who = `container ${name}`
    switch (Action) {
      case 'create':
        return { text: `${who} was created from ${attributes['image'] ?? 'an image'}` }
      case 'oom':
        this.#outOfMemory.add(ID)
        return { text: `${who} ran into its memory limit`, advice: memoryAdvice(name) }
      case 'kill':
        this.#signals.set(ID, attributes['signal'] ?? '')
        return { text: `${who} was sent signal ${attributes['signal'] ?? '?'}` }
      case 'die':
        return this.#death(ID, name, Number(attributes['exitCode'] ?? 0))
      case 'health_status: unhealthy':
        return {
          text: `${who} fails its health check`,
          advice: `see what the check prints: berth inspect -f '{{json .State.Health}}' ${name}`,
        }
      default:
        return { text: `${who} ${containerVerb(Action)}` }
    }
  }

  #death(id: string, name: string, exitCode: number): Explanation {
    const signal = this.#signals.get(id)
    const outOfMemory = this.#outOfMemory.delete(id)
    this.#signals.delete(id)
    const who = `container ${name}`
    if (outOfMemory) {
      return { text: `${who} was killed: it was out of memory (exit code ${exitCode})`, advice: memoryAdvice(name) }
    }
    if (exitCode === 0) return { text: `${who} ended well` }
    const asked = signal === undefined ? '' : `, after signal ${signal} from a client`
    const text = `${who} ended with exit code ${exitCode}: ${exitReason(exitCode)}${asked}`
    return signal === undefined ? { text, advice: exitAdvice(exitCode, name) } : { text }
  }
}

function memoryAdvice(name: string): string {
  return `raise its limit (berth update --memory SIZE ${name}) or make it need less`
}

const signalNames: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL, an illegal instruction',
  6: 'SIGABRT, it aborted',
  7: 'SIGBUS',
  8: 'SIGFPE, an arithmetic error',
  9: 'SIGKILL',
  11: 'SIGSEGV, a memory fault',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
}

function exitReason(exitCode: number): string {
  if (exitCode === 125) return 'the engine could not start it'
  if (exitCode === 126) return 'its command cannot be executed'
  if (exitCode === 127) return 'its command was not found'
  const signal = exitCode > 128 ? signalNames[exitCode - 128] : undefined
  return signal === undefined ? 'the program says that it failed' : `by ${signal}`
}

function exitAdvice(exitCode: number, name: string): string {
  if (exitCode === 126 || exitCode === 127) return `check the command: berth inspect -f '{{.Path}} {{.Args}}' ${name}`
  if (exitCode === 137) return 'someone killed it from outside, or the host ran out of memory: see dmesg'
  return `see its last words: berth logs --tail 20 ${name}`
}

function containerVerb(action: string): string {
  const verbs: Readonly<Record<string, string>> = {
    start: 'has started',
    stop: 'has stopped',
    restart: 'was restarted',
    pause: 'was paused',
    unpause: 'goes on',
    destroy: 'was removed',
    rename: 'has a new name',
    attach: 'has a client attached',
    detach: 'was left by its client, and runs on',
    update: 'has new limits',
    resize: 'has a terminal of another size',
    export: 'was exported',
    commit: 'was made into an image',
    'health_status: healthy': 'is healthy',
  }
  if (Object.hasOwn(verbs, action)) return verbs[action] ?? ''
  if (action.startsWith('exec_start: ')) return `runs a further command: ${action.slice('exec_start: '.length)}`
  return action.replaceAll('_', ' ')
}

function explainNetwork({ Action, Actor }: EventMessage): string {
  const { name = Actor.ID, container } = Actor.Attributes ?? {}
  const who = container === undefined ? 'a container' : `container ${container.slice(0, 12)}`
  if (Action === 'connect') return `${who} has joined network ${name}`
  if (Action === 'disconnect') return `${who} has left network ${name}`
  return `network ${name} was ${pastOf(Action)}`
}

function pastOf(action: string): string {
  const irregular: Readonly<Record<string, string>> = {
    tag: 'tagged',
    untag: 'untagged',
    destroy: 'removed',
    delete: 'deleted',
    mount: 'mounted',
    unmount: 'unmounted',
    pull: 'pulled',
    push: 'pushed',
    load: 'loaded',
    import: 'imported',
  }
  if (Object.hasOwn(irregular, action)) return irregular[action] ?? ''
  return action.endsWith('e') ? `${action}d` : `${action}ed`
}
