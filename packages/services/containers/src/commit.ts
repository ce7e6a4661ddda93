import type { ContainerConfig } from '@berth/engine-api'
import type { Digest, ImageRunConfig } from '@berth/oci'
import { announce } from './announce.ts'
import type { Container } from './container.ts'
import type { CommitQuery } from './containers.ts'
import type { Context } from './context.ts'
import { pauseContainer, unpauseContainer } from './pause.ts'

/** Makes an image of the container's writable layer and configuration; pauses it meanwhile unless told not to. */
export async function commitContainer(context: Context, ref: string, query: CommitQuery): Promise<Digest> {
  const container = context.registry.resolve(ref)
  const parent = await context.images.resolve(container.imageId)
  const isPaused = query.pause && container.state.status === 'running'
  if (isPaused) await pauseContainer(context, container.id, { byEngine: true })
  try {
    const id = await context.images.commit({
      containerId: container.id,
      layer: context.snapshots.diff(container.id),
      parent,
      containerConfig: runConfig(container.config),
      ...(query.config ? { config: query.config } : {}),
      changes: query.changes,
      ...(query.reference ? { reference: query.reference } : {}),
      ...(query.author ? { author: query.author } : {}),
      ...(query.message ? { message: query.message } : {}),
    })
    announceCommit(context, container, query, id)
    return id
  } finally {
    if (isPaused) await unpauseContainer(context, container.id)
  }
}

function announceCommit(context: Context, container: Container, query: CommitQuery, imageId: Digest): void {
  const extra = {
    comment: query.message ?? '',
    imageID: imageId,
    ...(query.reference ? { imageRef: query.reference } : {}),
  }
  announce(context, container, 'commit', extra)
}

/** What of a container's configuration an image keeps. */
function runConfig(config: ContainerConfig): ImageRunConfig {
  const {
    User,
    ExposedPorts,
    Env,
    Entrypoint,
    Cmd,
    Volumes,
    WorkingDir,
    Labels,
    StopSignal,
    Healthcheck,
    OnBuild,
    Shell,
  } = config
  return {
    User,
    Env,
    Entrypoint,
    Cmd,
    Volumes,
    WorkingDir,
    Labels,
    ...(ExposedPorts ? { ExposedPorts } : {}),
    ...(StopSignal ? { StopSignal } : {}),
    ...(Healthcheck ? { Healthcheck } : {}),
    ...(OnBuild ? { OnBuild } : {}),
    ...(Shell ? { Shell } : {}),
  }
}
