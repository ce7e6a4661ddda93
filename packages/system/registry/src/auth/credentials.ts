import type { AuthConfig } from '@berth/engine-api'

export const hasPassword = ({ username, password }: AuthConfig): boolean =>
  username !== undefined && username !== '' && password !== undefined

export const basicHeader = ({ username = '', password = '' }: AuthConfig): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
