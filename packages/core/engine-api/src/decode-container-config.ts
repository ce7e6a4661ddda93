import type { ContainerConfig, EndpointSettings, HealthConfig } from './container-config.ts'
import {
  bool,
  duration,
  empty,
  int,
  int64,
  list,
  listOrEmpty,
  map,
  mapOrEmpty,
  nullable,
  optional,
  string,
  stringOrList,
  struct,
} from './schema.ts'

export const healthConfig = struct<HealthConfig>('container.HealthConfig', {
  Test: optional(list(string)),
  Interval: optional(duration),
  Timeout: optional(duration),
  StartPeriod: optional(duration),
  StartInterval: optional(duration),
  Retries: optional(int),
})

export const containerConfigFields = {
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: optional(map(empty, 'nat.PortSet')),
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: listOrEmpty(string),
  Cmd: stringOrList,
  Healthcheck: optional(healthConfig),
  ArgsEscaped: optional(bool),
  Image: string,
  Volumes: map(empty),
  WorkingDir: string,
  Entrypoint: stringOrList,
  NetworkDisabled: optional(bool),
  MacAddress: optional(string),
  OnBuild: optional(list(string)),
  Labels: mapOrEmpty(string),
  StopSignal: optional(string),
  StopTimeout: optional(int),
  Shell: optional(stringOrList),
}

export const containerConfig = struct<ContainerConfig>('container.Config', containerConfigFields)

export const endpointSettings = struct<EndpointSettings>('network.EndpointSettings', {
  IPAMConfig: nullable(
    struct('network.EndpointIPAMConfig', {
      IPv4Address: optional(string),
      IPv6Address: optional(string),
      LinkLocalIPs: optional(list(string)),
    }),
  ),
  Links: list(string),
  Aliases: list(string),
  MacAddress: string,
  DriverOpts: map(string),
  GwPriority: int,
  NetworkID: string,
  EndpointID: string,
  Gateway: string,
  IPAddress: string,
  IPPrefixLen: int64,
  IPv6Gateway: string,
  GlobalIPv6Address: string,
  GlobalIPv6PrefixLen: int64,
  DNSNames: list(string),
})
