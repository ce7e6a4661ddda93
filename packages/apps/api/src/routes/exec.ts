import { conflict, type Logger } from '@berth/base'
import type { Containers } from '@berth/containers'
import { decodeExecCreate, decodeExecStart } from '@berth/engine-api'
import { readJson } from '../body.ts'
import type { Exchange } from '../exchange.ts'
import { splice } from '../hijack.ts'
import { presentExec } from '../presenters/exec.ts'
import { reframe } from '../reframe.ts'
import { sendEmpty, sendJson } from '../respond.ts'
import type { Route } from '../router.ts'
import { readSize } from './container-streams.ts'

interface Deps {
  readonly containers: Pick<Containers, 'get' | 'createExec' | 'startExec' | 'resizeExec' | 'getExec'>
  readonly log: Logger
}

/** Processes that are run in containers beside the first one. */
export function execRoutes({ containers, log }: Deps): Route[] {
  return [
    { method: 'POST', path: '/containers/:name/exec', handler: (exchange) => create(exchange, containers) },
    {
      method: 'POST',
      path: '/exec/:id/start',
      upgradesTo: 'stream',
      handler: (exchange) => start(exchange, containers, log),
    },
    {
      method: 'POST',
      path: '/exec/:id/resize',
      handler: async (exchange) => {
        await containers.resizeExec(exchange.param('id'), readSize(exchange))
        sendEmpty(exchange, 200)
      },
    },
    {
      method: 'GET',
      path: '/exec/:id/json',
      handler: (exchange) => sendJson(exchange, presentExec(containers.getExec(exchange.param('id')))),
    },
  ]
}

async function create(exchange: Exchange, containers: Pick<Containers, 'createExec'>): Promise<void> {
  const request = decodeExecCreate(await readJson(exchange), exchange.version)
  const id = await containers.createExec(exchange.param('name'), {
    user: request.User,
    privileged: request.Privileged,
    tty: request.Tty,
    attachStdin: request.AttachStdin,
    attachStdout: request.AttachStdout,
    attachStderr: request.AttachStderr,
    detachKeys: request.DetachKeys,
    env: request.Env ?? [],
    workingDir: request.WorkingDir,
    cmd: request.Cmd,
    ...consoleSize(request.ConsoleSize),
  })
  sendJson(exchange, { Id: id }, 201)
}

const consoleSize = (size: [number, number] | undefined) =>
  size ? { consoleSize: { rows: size[0], columns: size[1] } } : {}

async function start(exchange: Exchange, containers: Deps['containers'], log: Logger): Promise<void> {
  const request = decodeExecStart(await readJson(exchange), exchange.version)
  const { id, containerId, config } = containers.getExec(exchange.param('id'))
  requireRunning(containers.get(containerId))
  const options = { detach: request.Detach, tty: request.Tty, ...consoleSize(request.ConsoleSize) }
  const attached = await containers.startExec(id, options)
  if (!attached) return sendEmpty(exchange, 200)
  const { stream, tty } = attached
  // Without an upgrade the request's body was the description: no input can follow.
  if (!exchange.upgraded && config.attachStdin) stream.end()
  const stdin = config.attachStdin && exchange.upgraded !== undefined
  await splice(exchange, stream, { tty, stdin, convert: reframe(config.tty, tty), log })
}

function requireRunning({ id, state }: ReturnType<Containers['get']>): void {
  if (state.status === 'paused') throw conflict(`Container ${id} is paused, unpause the container before exec`)
  if (state.status !== 'running') throw conflict(`container ${id} is not running`)
}
