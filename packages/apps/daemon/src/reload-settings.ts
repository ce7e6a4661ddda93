import type { Events } from '@berth/events'
import type { createRegistries } from '@berth/registry'
import type { HostFacts, openRuntime } from '@berth/runtime'
import type { Config } from './config/config.ts'
import { type DaemonLogger, logLevel } from './logger.ts'
import { registrySettings } from './registry-settings.ts'
import { reloadAttributes } from './reload-attributes.ts'
import { runtimeSettings } from './runtime-settings.ts'
import { deriveSettings, type Settings } from './settings.ts'

/** What of the engine is told of a reload. */
interface Engine {
  readonly engineId: string
  readonly facts: HostFacts
  readonly runtime: Pick<Awaited<ReturnType<typeof openRuntime>>, 'reconfigure' | 'defaultRuntime'>
  readonly registries: Pick<ReturnType<typeof createRegistries>, 'reconfigure'>
  readonly events: Pick<Events, 'publish'>
  readonly logger: DaemonLogger
}

/**
 * The settings from now on: the reloadable ones of `fresh`, which are logged. Throws `invalid`, and changes nothing, where
 * one is wrong.
 */
export function reloadSettings(current: Settings, fresh: Config, engine: Engine): Settings {
  const { engineId, facts, runtime, registries, events, logger } = engine
  const next = deriveSettings(current.config.reloaded(fresh), current.diskBytes)
  runtime.reconfigure(runtimeSettings(next.config))
  registries.reconfigure(registrySettings(next.config))
  logger.setLevel(logLevel(next.config))
  const attributes = reloadAttributes(next.config, { facts, runtime })
  events.publish('daemon', 'reload', engineId, attributes)
  logger.info(attributes, 'configuration reloaded')
  const settings = next.config.restartKeys(fresh)
  if (settings.length > 0) logger.warn({ settings }, 'what these settings say now holds from the next start on')
  return next
}
