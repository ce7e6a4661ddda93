import { type ContainerId, fault, invalid, isKind, newContainerId, nowText, Undo, zeroTime } from '@berth/base'
import type { ContainerCreateRequest, HostConfig } from '@berth/engine-api'
import type { Image } from '@berth/images'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { announce } from './announce.ts'
import type { Container } from './container.ts'
import type { Containers } from './containers.ts'
import type { Context } from './context.ts'
import { prepareImageMounts } from './image-mounts.ts'
import { planMemberships } from './membership.ts'
import { generateName, parseContainerName } from './names.ts'
import { planContainer } from './plan/plan-container.ts'
import { resolveReferences } from './plan/references.ts'
import type { ContainerPlan } from './plan/types.ts'
import { requireBindSources } from './spec-mounts.ts'
import { acquireVolumes, fillVolumes } from './volumes.ts'

/** Makes a container: decided first, then the snapshot and the record; all or nothing. */
export async function createContainer(
  context: Context,
  request: ContainerCreateRequest,
): ReturnType<Containers['create']> {
  if (!context.isOpen()) throw invalid('the engine is shutting down')
  const id = newContainerId()
  const name = request.name
    ? parseContainerName(request.name)
    : generateName((free) => context.registry.isNameFree(free))
  const image = await context.images.resolve(request.config.Image, request.platform)
  const mountsOf = (ref: string) => referenced(context, ref).mounts
  const plan = planContainer(request, image, { id, facts: context.facts, defaults: context.defaults(), mountsOf })
  await requireBindSources(plan.mounts)
  const hostConfig = resolveHostConfig(context, plan)
  const endpoints = planMemberships(context, plan.endpoints)
  using _ = context.registry.reserveName(name, id)
  await using undo = new Undo((what, error) => context.logger.warn({ id, error }, `undoing create: ${what}`))
  await context.images.ensureUnpacked(image)
  await context.snapshots.prepare(id, image.chainId)
  fault('create: snapshot')
  undo.defer('snapshot', () => context.snapshots.remove(id))
  await makeDirectory(context, id, undo)
  fault('create: directory')
  undo.defer('volumes', () => context.volumes.drop(id))
  const mounts = await prepareImageMounts(context, await acquireVolumes(context, id, plan.mounts), { id, undo })
  fault('create: volumes')
  await fillVolumes(context, id, mounts)
  fault('create: filled')
  const container = describe({ id, name, image, plan, hostConfig, endpoints, mounts })
  context.registry.insert(container, (write) => context.volumes.keep(id, write))
  fault('create: recorded')
  undo.commit()
  announce(context, container, 'create')
  context.runtime.anticipateStart()
  return { id, warnings: plan.warnings }
}

async function makeDirectory(context: Context, id: ContainerId, undo: Undo): Promise<void> {
  const directory = join(context.directory, id)
  await mkdir(directory, { mode: 0o710 })
  undo.defer('directory', () => rm(directory, { recursive: true, force: true }))
}

function resolveHostConfig(context: Context, plan: ContainerPlan): HostConfig {
  return resolveReferences(plan, (ref) => referenced(context, ref).id)
}

/** A container that another one's configuration names. */
function referenced(context: Context, ref: string): Container {
  try {
    return context.registry.resolve(ref)
  } catch (error) {
    throw isKind(error, 'notFound') ? invalid(`No such container: ${ref}`) : error
  }
}

interface Parts {
  readonly id: ContainerId
  readonly name: string
  readonly image: Image
  readonly plan: ContainerPlan
  readonly hostConfig: HostConfig
  readonly endpoints: Container['requestedEndpoints']
  readonly mounts: Container['mounts']
}

function describe({ id, name, image, plan, hostConfig, endpoints, mounts }: Parts): Container {
  const { os, architecture, variant } = image.config
  return {
    id,
    name,
    createdAt: nowText(),
    args: plan.args,
    imageId: image.id,
    manifest: image.manifest,
    platform: { os, architecture, ...(variant ? { variant } : {}) },
    config: plan.config,
    hostConfig,
    state: {
      status: 'created',
      pid: 0,
      exitCode: 0,
      oomKilled: false,
      error: '',
      startedAt: zeroTime,
      finishedAt: zeroTime,
    },
    restartCount: 0,
    requestedEndpoints: endpoints,
    endpoints,
    mounts,
    stoppedByUser: false,
    hasBeenStarted: false,
    appArmorProfile: plan.appArmorProfile,
    execIds: [],
  }
}
