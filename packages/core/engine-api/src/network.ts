import type { IpamConfig } from './decode-network.ts'

/** `GET /networks/{id}` and one entry of `GET /networks`. */
export interface NetworkResponse {
  Name: string
  Id: string
  /** RFC 3339, nanoseconds. */
  Created: string
  Scope: string
  Driver: string
  EnableIPv4: boolean
  EnableIPv6: boolean
  IPAM: {
    Driver: string
    Options: Readonly<Record<string, string>> | null
    Config: readonly IpamConfig[] | null
  }
  Internal: boolean
  Attachable: boolean
  Ingress: boolean
  ConfigFrom: { Network: string }
  ConfigOnly: boolean
  /** By container id; empty in lists from 1.28. */
  Containers: Record<string, NetworkContainer>
  Options: Readonly<Record<string, string>>
  Labels: Readonly<Record<string, string>>
}

export interface NetworkContainer {
  Name: string
  EndpointID: string
  MacAddress: string
  /** With the prefix length. */
  IPv4Address: string
  IPv6Address: string
}

/** `GET /volumes/{name}` and one entry of `GET /volumes`. */
export interface VolumeResponse {
  CreatedAt?: string
  Driver: string
  Labels: Record<string, string> | null
  Mountpoint: string
  Name: string
  Options: Record<string, string> | null
  Scope: string
  UsageData?: { RefCount: number; Size: number }
}

/** `GET /volumes`. */
export interface VolumeListResponse {
  Volumes: VolumeResponse[]
  Warnings: string[] | null
}
