import type { ImageRunConfig } from '@berth/oci'

/** What `own` leaves open is taken from `base`, field by field as Docker merges a container's config with its image's. */
export function mergeRunConfig(own: ImageRunConfig, base: ImageRunConfig): ImageRunConfig {
  const isCommandOpen = !own.Entrypoint?.length && !own.Cmd?.length
  const isEntrypointOpen = own.Entrypoint === undefined || own.Entrypoint === null
  return withoutUndefined({
    ...own,
    User: own.User || base.User,
    ExposedPorts: { ...base.ExposedPorts, ...own.ExposedPorts },
    Env: mergeEnv(own.Env ?? [], base.Env ?? []),
    Labels: { ...base.Labels, ...own.Labels },
    Cmd: isCommandOpen ? base.Cmd : own.Cmd,
    Entrypoint: isEntrypointOpen ? base.Entrypoint : own.Entrypoint,
    Healthcheck: mergeHealthcheck(own.Healthcheck, base.Healthcheck),
    WorkingDir: own.WorkingDir || base.WorkingDir,
    Volumes: { ...base.Volumes, ...own.Volumes },
    StopSignal: own.StopSignal || base.StopSignal,
  })
}

function mergeEnv(own: readonly string[], base: readonly string[]): string[] {
  const names = new Set(own.map((entry) => entry.split('=', 1)[0]))
  return [...own, ...base.filter((entry) => !names.has(entry.split('=', 1)[0]))]
}

function mergeHealthcheck(own: ImageRunConfig['Healthcheck'], base: ImageRunConfig['Healthcheck']) {
  if (!own || !base) return own ?? base
  return withoutUndefined({
    Test: own.Test?.length ? own.Test : base.Test,
    Interval: own.Interval || base.Interval,
    Timeout: own.Timeout || base.Timeout,
    StartPeriod: own.StartPeriod || base.StartPeriod,
    StartInterval: own.StartInterval || base.StartInterval,
    Retries: own.Retries || base.Retries,
  })
}

/** Leaves out what is undefined or an empty map: an image config carries only what is set. */
function withoutUndefined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isSet(value))) as T
}

function isSet(value: unknown): boolean {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  return value !== undefined && !(isMap && Object.keys(value).length === 0)
}
