import { type Call, type Control, grpcCode, GrpcError, type Implementation } from '@berth/buildkit-protocol'
import type { Progress } from '../progress/progress.ts'
import type { Services } from '../services.ts'
import { Tunnel } from '../session/tunnel.ts'
import { pruneRecords, usageRecords } from './disk-usage.ts'
import { solve } from './solve.ts'
import { askWorker, buildkitVersion } from './worker.ts'

/** BuildKit's Control service. */
export function controlService(services: Services): Implementation<typeof Control> {
  const { builder, history } = services
  return {
    info: async () => ({ buildkitVersion }),
    listWorkers: async () => ({ record: [await askWorker(services)] }),
    solve: (request, call) => solve(services, request, call),
    status: ({ ref }, call) => followStatus(services, ref, call),
    session: (messages, call) => openTunnel(services, messages, call),
    diskUsage: async (request) => ({ record: await usageRecords(builder, request) }),
    prune: async function* (request) {
      yield* await pruneRecords(builder, request)
    },
    listenBuildHistory: (request, call) => history.listen(request, call.signal),
    updateBuildHistory: async (request) => {
      history.update(request)
      return {}
    },
  }
}

async function* followStatus(services: Services, ref: string, call: Call): ReturnType<Progress['follow']> {
  call.header('buildkit-current-timestamp', new Date().toISOString())
  const past = services.history.progressOf(ref)
  if (past) return yield* past
  const job = services.jobs.mention(ref)
  // A build that nobody starts has no status.
  await job.request(call)
  yield* job.progress.follow(call.signal)
}

/** A session inside of a call: several builds of one client share it. */
async function* openTunnel(
  { sessions }: Services,
  messages: AsyncIterable<{ readonly data: Uint8Array }>,
  { metadata }: Call,
): ReturnType<Tunnel['sent']> {
  const id = metadata['x-docker-expose-session-uuid']
  if (typeof id !== 'string') throw new GrpcError(grpcCode.invalidArgument, 'the session has no id')
  sessions.requireFree(id)
  const tunnel = new Tunnel()
  const sharedKey = metadata['x-docker-expose-session-sharedkey']
  sessions.add({ id, sharedKey: typeof sharedKey === 'string' ? sharedKey : '' }, tunnel.socket)
  void tunnel.receive(messages)
  try {
    yield* tunnel.sent()
  } finally {
    tunnel.socket.destroy()
  }
}
