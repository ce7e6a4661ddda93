import { conflict, type ContainerId, EngineError, internal, messageOf } from '@berth/base'
import { announceMember } from '../announce.ts'
import type { Context } from '../context.ts'
import type { Attachment, AttachRequest } from '../networks.ts'
import { letGo } from './detach.ts'
import { NewSandbox } from './new-sandbox.ts'
import { type AttachPlan, planAttachment } from './plan-attachment.ts'
import { lockLinks } from './sandbox.ts'

const sharedPrefix = 'container:'

/** Makes a container's sandbox and its endpoints; gives everything back when a step fails. */
export async function attach(context: Context, request: AttachRequest): Promise<Attachment> {
  // What an earlier start left behind, if its detach was cut short.
  const earlier = context.states.get(request.containerId)
  if (earlier) await letGo(context, earlier)
  try {
    if (request.mode.startsWith(sharedPrefix)) return share(context, request)
    return await takePart(context, request)
  } catch (error) {
    throw described(error)
  }
}

/** Docker's words in front; a failure of the kernel becomes one of the engine. */
function described(error: unknown): EngineError {
  const message = `failed to set up container networking: ${messageOf(error)}`
  return error instanceof EngineError
    ? new EngineError(error.kind, message, { cause: error })
    : internal(message, error)
}

function share(context: Context, request: AttachRequest): Attachment {
  const id = request.mode.slice(sharedPrefix.length) as ContainerId
  const state = context.states.staying(id)
  if (!state) throw conflict(`cannot join network namespace of a non running container: ${id}`)
  const { netnsPath, hostsPath, hostnamePath, resolvConfPath } = state.attachment
  const files = { hostsPath, hostnamePath, resolvConfPath }
  const attachment = { netnsPath, ...files, sandboxId: '', sandboxKey: '', endpoints: {}, ports: {}, interfaces: [] }
  const { containerId, name } = request
  context.states.put({
    containerId,
    name,
    attachment,
    sharedWith: id,
    pin: undefined,
    endpoints: [],
    ports: [],
    request,
  })
  return attachment
}

async function takePart(context: Context, request: AttachRequest): Promise<Attachment> {
  let plan = planAttachment(request, context)
  using _ = plan.isHost ? undefined : await lockLinks()
  // Somebody may have removed a network, before it was this one's turn.
  if (!isCurrent(plan, context)) plan = planAttachment(request, context)
  const attachment = await new NewSandbox(context, request, plan).create()
  for (const { record } of plan.endpoints) {
    announceMember(context, record, { action: 'connect', container: request.containerId })
  }
  return attachment
}

const isCurrent = ({ endpoints }: AttachPlan, { registry }: Context): boolean =>
  endpoints.every(({ record }) => registry.byId(record.id) === record)
