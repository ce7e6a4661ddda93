import { invalid } from '@berth/base'
import type { Containers, StopOptions, WaitCondition } from '@berth/containers'
import { boolParameter, type ContainerWaitResponse, decodeContainerUpdate, has, intParameter } from '@berth/engine-api'
import { hasNoBody, readJson } from '../body.ts'
import type { Exchange, Handler } from '../exchange.ts'
import { sendEmpty, sendJson } from '../respond.ts'
import type { Route } from '../router.ts'

interface Deps {
  readonly containers: Pick<
    Containers,
    'get' | 'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'unpause' | 'rename' | 'update' | 'wait' | 'remove'
  >
}

const post = (path: string, handler: Handler): Route => ({ method: 'POST', path: `/containers/:name/${path}`, handler })
const name = (exchange: Exchange) => exchange.param('name')

function act(path: string, work: (exchange: Exchange) => Promise<void>): Route {
  return post(path, async (exchange) => {
    await work(exchange)
    sendEmpty(exchange, 204)
  })
}

/** What changes a container's state. */
export function lifecycleRoutes({ containers }: Deps): Route[] {
  return [
    act('start', async (exchange) => {
      checkStart(exchange)
      await containers.start(name(exchange))
    }),
    act('stop', (exchange) => containers.stop(name(exchange), stopOptions(exchange))),
    act('restart', (exchange) => containers.restart(name(exchange), stopOptions(exchange))),
    act('kill', (exchange) => containers.kill(name(exchange), exchange.query.get('signal') ?? '')),
    act('pause', (exchange) => containers.pause(name(exchange))),
    act('unpause', (exchange) => containers.unpause(name(exchange))),
    act('rename', (exchange) => containers.rename(name(exchange), exchange.query.get('name') ?? '')),
    post('update', async (exchange) => {
      const update = decodeContainerUpdate(await readJson(exchange), exchange.version)
      const { warnings } = await containers.update(name(exchange), update)
      sendJson(exchange, { Warnings: warnings.length > 0 ? warnings : null })
    }),
    post('wait', (exchange) => waitFor(exchange, containers)),
    {
      method: 'DELETE',
      path: '/containers/*',
      handler: async (exchange) => {
        const [force, volumes, link] = ['force', 'v', 'link'].map((flag) => boolParameter(exchange.query, flag))
        const options = { force: force === true, volumes: volumes === true, link: link === true }
        await containers.remove(exchange.param('*'), options)
        sendEmpty(exchange, 204)
      },
    },
  ]
}

/** A body of more than `{}` was a host configuration once; checkpoints are restored by no engine of today. */
function checkStart({ request, query }: Exchange): void {
  if (!hasNoBody(request) && !(Number(request.headers['content-length']) <= 7)) {
    throw invalid('starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24')
  }
  if (query.get('checkpoint')) throw invalid('checkpoint is only supported in experimental mode')
}

function stopOptions({ query, version }: Exchange): StopOptions {
  const timeoutSeconds = intParameter(query, 't')
  const signal = has(version, 'stopSignalParameter') ? query.get('signal') : null
  return { ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }), ...(signal ? { signal } : {}) }
}

const conditions = new Set<string>(['not-running', 'next-exit', 'removed'])

/** The head goes out once the container is found, so that the client knows that its wait has begun. */
async function waitFor(exchange: Exchange, containers: Pick<Containers, 'wait'>): Promise<void> {
  const { version, response, signal } = exchange
  const condition = has(version, 'waitConditions') ? exchange.query.get('condition') || 'not-running' : 'not-running'
  if (!conditions.has(condition)) throw invalid(`invalid condition: ${JSON.stringify(condition)}`)
  const { result } = containers.wait(exchange.param('name'), condition as WaitCondition, signal)
  if (has(version, 'waitConditions')) {
    result.catch(() => undefined)
    response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders()
  }
  const answer = await result.then(
    ({ exitCode, error }) => waitAnswer(exitCode, error),
    (error: unknown) => {
      if (signal.aborted) return undefined
      throw error
    },
  )
  if (answer === undefined) response.destroy()
  else if (response.headersSent) response.end(`${JSON.stringify(answer)}\n`)
  else sendJson(exchange, answer)
}

const waitAnswer = (exitCode: number, error: string | undefined): ContainerWaitResponse => ({
  StatusCode: exitCode,
  ...(error ? { Error: { Message: error } } : {}),
})
