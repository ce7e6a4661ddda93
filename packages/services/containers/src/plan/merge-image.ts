import { invalid } from '@berth/base'
import type { ContainerConfig, HealthConfig } from '@berth/engine-api'
import type { ImageRunConfig } from '@berth/oci'

/** The request's configuration with what it leaves open taken from the image's. */
export function mergeImageConfig(own: ContainerConfig, image: ImageRunConfig = {}): ContainerConfig {
  const ports = { ...image.ExposedPorts, ...own.ExposedPorts }
  const volumes = { ...image.Volumes, ...own.Volumes }
  const healthcheck = mergeHealthcheck(own.Healthcheck, image.Healthcheck)
  return {
    ...own,
    ...mergeCommand(own, image),
    Env: mergeEnv(own.Env ?? [], image.Env ?? []),
    User: own.User || (image.User ?? ''),
    WorkingDir: own.WorkingDir || (image.WorkingDir ?? ''),
    Labels: { ...image.Labels, ...own.Labels },
    Volumes: Object.keys(volumes).length > 0 ? volumes : own.Volumes,
    ...(Object.keys(ports).length > 0 && { ExposedPorts: ports }),
    ...(healthcheck && { Healthcheck: healthcheck }),
    ...optional('StopSignal', own.StopSignal || image.StopSignal),
    ...optional('Shell', own.Shell ?? image.Shell),
    OnBuild: own.OnBuild ?? image.OnBuild ?? null,
  }
}

/** An entrypoint of one's own makes the image's command meaningless; [''] is Docker's way to have none. */
function mergeCommand(
  own: ContainerConfig,
  image: ImageRunConfig,
): Pick<ContainerConfig, 'Cmd' | 'Entrypoint' | 'ArgsEscaped'> {
  if (own.Entrypoint !== null && own.Entrypoint.length > 0) {
    const isReset = own.Entrypoint.length === 1 && own.Entrypoint[0] === ''
    return { Cmd: own.Cmd, Entrypoint: isReset ? null : own.Entrypoint }
  }
  const hasCommand = own.Cmd !== null && own.Cmd.length > 0
  return {
    Cmd: hasCommand ? own.Cmd : (image.Cmd ?? own.Cmd),
    ...(!hasCommand && image.ArgsEscaped && { ArgsEscaped: true }),
    Entrypoint: own.Entrypoint ?? image.Entrypoint ?? null,
  }
}

/** argv: entrypoint, then command. Throws `invalid` when there is nothing to run. */
export function joinArgs({ Entrypoint, Cmd }: Pick<ContainerConfig, 'Entrypoint' | 'Cmd'>): string[] {
  const args = [...(Entrypoint ?? []), ...(Cmd ?? [])]
  if (args.length === 0) throw invalid('no command specified')
  return args
}

/** The request's entries first, as Docker lists them, then the image's of other names. */
function mergeEnv(own: readonly string[], image: readonly string[]): string[] {
  const names = new Set(own.map(nameOf))
  return [...own, ...image.filter((entry) => !names.has(nameOf(entry)))]
}

const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? ''

function mergeHealthcheck(own: HealthConfig | undefined, image: HealthConfig | undefined): HealthConfig | undefined {
  if (own === undefined) return image
  const merged: HealthConfig = {
    Test: own.Test?.length ? own.Test : image?.Test,
    Interval: own.Interval || image?.Interval,
    Timeout: own.Timeout || image?.Timeout,
    StartPeriod: own.StartPeriod || image?.StartPeriod,
    StartInterval: own.StartInterval || image?.StartInterval,
    Retries: own.Retries || image?.Retries,
  }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)) as HealthConfig
}

function optional<K extends string, T>(name: K, value: T | undefined | ''): Partial<Record<K, T>> {
  return value === undefined || value === '' ? {} : ({ [name]: value } as Partial<Record<K, T>>)
}
