// What the tests use of dockerode; the package brings no types.
declare module 'dockerode' {
  import type { Duplex, Readable, Writable } from 'node:stream'

  interface Exec {
    start(options: object): Promise<Duplex>
    inspect(): Promise<{ ExitCode: number | null; Running: boolean }>
    resize(size: { h: number; w: number }): Promise<unknown>
  }

  interface Container {
    readonly id: string
    start(): Promise<unknown>
    stop(options?: object): Promise<unknown>
    kill(options?: object): Promise<unknown>
    pause(): Promise<unknown>
    unpause(): Promise<unknown>
    rename(options: { name: string }): Promise<unknown>
    update(options: object): Promise<unknown>
    resize(size: { h: number; w: number }): Promise<unknown>
    wait(options?: object): Promise<{ StatusCode: number }>
    remove(options?: object): Promise<unknown>
    inspect(): Promise<{ State: { Status: string; ExitCode: number }; HostConfig: { Memory: number }; Name: string }>
    attach(options: object): Promise<Duplex>
    logs(options: { follow: true; stdout?: boolean; stderr?: boolean }): Promise<Readable>
    logs(options: { follow?: false; stdout?: boolean; stderr?: boolean; tail?: number }): Promise<Buffer>
    exec(options: object): Promise<Exec>
    top(options?: object): Promise<{ Processes: string[][] }>
    stats(options: { stream: false }): Promise<{ name: string; pids_stats: object }>
    stats(options: { stream: true }): Promise<Readable>
    changes(): Promise<{ Path: string; Kind: number }[]>
    export(): Promise<Readable>
    commit(options: object): Promise<{ Id: string }>
  }

  interface Image {
    inspect(): Promise<{ Id: string; RepoTags: string[] }>
    history(): Promise<object[]>
    tag(options: { repo: string; tag: string }): Promise<unknown>
    push(options: { authconfig: object }): Promise<Readable>
    remove(options?: object): Promise<unknown>
    get(): Promise<Readable>
  }

  interface Volume {
    readonly name?: string
    readonly Name?: string
    inspect(): Promise<object>
    remove(options?: object): Promise<unknown>
  }

  interface Network {
    inspect(): Promise<{
      Internal: boolean
      IPAM: { Config: object[] }
      Containers: Record<string, { IPv4Address: string }>
    }>
    connect(options: object): Promise<unknown>
    disconnect(options: object): Promise<unknown>
    remove(): Promise<unknown>
  }

  export default class Docker {
    constructor(options: { socketPath: string })
    readonly modem: {
      demuxStream(stream: Readable, stdout: Writable, stderr: Writable): void
      followProgress(
        stream: NodeJS.ReadableStream,
        done: (error: Error | null, said: readonly { status?: string; error?: string }[]) => void,
      ): void
    }
    pull(name: string, options: { authconfig: object }): Promise<Readable>
    ping(): Promise<Buffer>
    info(): Promise<{ Images: number }>
    version(): Promise<{ ApiVersion: string }>
    listContainers(options?: object): Promise<{ Id: string; Names: string[]; State: string }[]>
    createContainer(options: object): Promise<Container>
    getContainer(id: string): Container
    getImage(name: string): Image
    createNetwork(options: object): Promise<Network>
    listNetworks(options?: object): Promise<{ Name: string }[]>
    createVolume(options: object): Promise<Volume>
    getVolume(name: string): Volume
    listVolumes(options: object): Promise<{ Volumes: object[] }>
    pruneVolumes(options: object): Promise<{ VolumesDeleted: string[] | null }>
    loadImage(archive: Readable | string): Promise<Readable>
    getEvents(options: object): Promise<Readable>
    run(
      image: string,
      command: string[],
      output: Writable[],
      options?: object,
    ): Promise<[{ StatusCode: number }, Container]>
  }
}
