import type { EndpointSettings } from './container-config.ts'
import { endpointSettings } from './decode-container-config.ts'
import { bool, decode, list, map, mapOrEmpty, nullable, optional, string, struct } from './schema.ts'
import { type ApiVersion, has } from './versions.ts'

/** One subnet of a network, as it was asked for or as it is shown. */
export interface IpamConfig {
  Subnet?: string
  IPRange?: string
  Gateway?: string
  AuxiliaryAddresses?: Record<string, string>
}

/** A decoded `POST /networks/create`, at the newest version. */
export interface NetworkCreateRequest {
  readonly Name: string
  readonly Driver: string
  readonly Scope: string
  readonly EnableIPv4: boolean | null
  readonly EnableIPv6: boolean | null
  readonly IPAM: {
    readonly Driver: string
    readonly Options: Record<string, string> | null
    readonly Config: IpamConfig[] | null
  } | null
  readonly Internal: boolean
  readonly Attachable: boolean
  readonly Ingress: boolean
  readonly ConfigOnly: boolean
  readonly ConfigFrom: { readonly Network: string } | null
  readonly Options: Record<string, string>
  readonly Labels: Record<string, string>
}

const ipamConfig = struct<IpamConfig>('network.IPAMConfig', {
  Subnet: optional(string),
  IPRange: optional(string),
  Gateway: optional(string),
  // The field has two names on the wire; docker's CLI sends the longer one.
  AuxiliaryAddresses: optional(map(string)),
})

const createBody = struct<NetworkCreateRequest>('network.CreateRequest', {
  Name: string,
  Driver: string,
  Scope: string,
  EnableIPv4: nullable(bool),
  EnableIPv6: nullable(bool),
  IPAM: nullable(struct('network.IPAM', { Driver: string, Options: map(string), Config: list(ipamConfig as never) })),
  Internal: bool,
  Attachable: bool,
  Ingress: bool,
  ConfigOnly: bool,
  ConfigFrom: nullable(struct('network.ConfigReference', { Network: string })),
  Options: mapOrEmpty(string),
  Labels: mapOrEmpty(string),
})

export function decodeNetworkCreate(body: unknown, version: ApiVersion): NetworkCreateRequest {
  const request = decode(createBody, body, 'CreateRequest')
  return has(version, 'networksWithoutIPv4') ? request : { ...request, EnableIPv4: null }
}

export interface NetworkConnectRequest {
  readonly Container: string
  readonly EndpointConfig: EndpointSettings | null
}

const connectBody = struct<NetworkConnectRequest>('network.ConnectOptions', {
  Container: string,
  EndpointConfig: nullable(endpointSettings),
})

/** The body of `POST /networks/{id}/connect`. */
export function decodeNetworkConnect(body: unknown, version: ApiVersion): NetworkConnectRequest {
  const request = decode(connectBody, body, 'ConnectOptions')
  const { EndpointConfig } = request
  if (!EndpointConfig) return request
  const GwPriority = has(version, 'gatewayPriority') ? EndpointConfig.GwPriority : 0
  const MacAddress = has(version, 'endpointMacAddress') ? EndpointConfig.MacAddress : ''
  return { ...request, EndpointConfig: { ...EndpointConfig, GwPriority, MacAddress } }
}

export interface NetworkDisconnectRequest {
  readonly Container: string
  readonly Force: boolean
}

const disconnectBody = struct<NetworkDisconnectRequest>('network.DisconnectOptions', {
  Container: string,
  Force: bool,
})

/** The body of `POST /networks/{id}/disconnect`. */
export const decodeNetworkDisconnect = (body: unknown): NetworkDisconnectRequest =>
  decode(disconnectBody, body, 'DisconnectOptions')
