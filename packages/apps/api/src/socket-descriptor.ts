import type { Socket } from 'node:net'

/** The connection's descriptor, which Node has and does not document: undefined where it is not as expected, or of TLS. */
export function socketDescriptor(connection: Socket): number | undefined {
  const socket = connection as Socket & { readonly encrypted?: boolean; readonly _handle?: { fd?: unknown } | null }
  const fd = socket.encrypted ? undefined : socket._handle?.fd
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}
