import type { RunOptions } from './run/run-options.ts'
import type { RunningContainer } from './run/running-container.ts'
import { ContainersClient } from './containers-client.ts'
import { ExecClient } from './exec-client.ts'
import { ImagesClient } from './images-client.ts'
import { NetworksClient } from './networks-client.ts'
import { PluginsClient } from './plugins-client.ts'
import { RegistryClient } from './registry-client.ts'
import { SystemClient } from './system-client.ts'
import { Transport, type TransportOptions } from './transport.ts'
import { VolumesClient } from './volumes-client.ts'

/** The Engine API of one engine, typed. Connections open on demand; `close` ends the idle ones. */
export class EngineClient {
  readonly transport: Transport
  readonly containers: ContainersClient
  readonly exec: ExecClient
  readonly images: ImagesClient
  readonly networks: NetworksClient
  readonly plugins: PluginsClient
  readonly registry: RegistryClient
  readonly system: SystemClient
  readonly volumes: VolumesClient

  constructor(options: TransportOptions | Transport) {
    this.transport = options instanceof Transport ? options : new Transport(options)
    this.containers = new ContainersClient(this.transport)
    this.exec = new ExecClient(this.transport)
    this.images = new ImagesClient(this.transport)
    this.networks = new NetworksClient(this.transport)
    this.plugins = new PluginsClient(this.transport)
    this.registry = new RegistryClient(this.transport)
    this.system = new SystemClient(this.transport)
    this.volumes = new VolumesClient(this.transport)
  }

  /** The same engine, over the same connections; every call through it ends when the signal is aborted. */
  withSignal(signal: AbortSignal): EngineClient {
    return new EngineClient(this.transport.withSignal(signal))
  }

  /** Starts a container and waits until it is ready; disposing of it removes it. */
  async run(image: string, options: RunOptions = {}): Promise<RunningContainer> {
    const { runContainer } = await import('./run/run-container.ts')
    return runContainer(this, image, options)
  }

  close(): void {
    this.transport.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
