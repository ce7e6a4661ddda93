/** `POST /containers/{id}/exec`. */
export interface ExecCreateResponse {
  Id: string
}

/** The body of `POST /containers/{id}/exec`. */
export interface ExecCreateRequest {
  User?: string
  Privileged?: boolean
  Tty?: boolean
  /** [height, width]; with a TTY only. */
  ConsoleSize?: [number, number]
  AttachStdin?: boolean
  AttachStdout?: boolean
  AttachStderr?: boolean
  DetachKeys?: string
  Env?: string[] | null
  WorkingDir?: string
  Cmd: string[]
}

/** The body of `POST /exec/{id}/start`. */
export interface ExecStartRequest {
  Detach?: boolean
  Tty?: boolean
  /** [height, width]. */
  ConsoleSize?: [number, number]
}

/** `GET /exec/{id}/json`. */
export interface ExecInspectResponse {
  ID: string
  Running: boolean
  ExitCode: number | null
  ProcessConfig: { tty: boolean; entrypoint: string; arguments: string[]; privileged: boolean; user?: string }
  OpenStdin: boolean
  OpenStderr: boolean
  OpenStdout: boolean
  CanRemove: boolean
  ContainerID: string
  DetachKeys: string
  Pid: number
}
