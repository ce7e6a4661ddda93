import type { ExecCreateRequest, ExecCreateResponse, ExecInspectResponse, ExecStartRequest } from '@berth/engine-api'
import type { HijackedConnection, Transport } from './transport.ts'

/** `/exec`. */
export class ExecClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  create(containerId: string, body: ExecCreateRequest): Promise<ExecCreateResponse> {
    return this.#transport.json('POST', `/containers/${encodeURIComponent(containerId)}/exec`, { json: body })
  }

  /** Starts and attaches. */
  attach(id: string, body: ExecStartRequest): Promise<HijackedConnection> {
    return this.#transport.hijack(`/exec/${id}/start`, { json: body })
  }

  async startDetached(id: string, body: ExecStartRequest): Promise<void> {
    await this.#transport.send('POST', `/exec/${id}/start`, { json: { ...body, Detach: true } })
  }

  inspect(id: string): Promise<ExecInspectResponse> {
    return this.#transport.json('GET', `/exec/${id}/json`)
  }

  async resize(id: string, size: { height: number; width: number }): Promise<void> {
    await this.#transport.send('POST', `/exec/${id}/resize`, { query: { h: size.height, w: size.width } })
  }
}
