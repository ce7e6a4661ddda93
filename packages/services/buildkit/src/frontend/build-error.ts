import type { LineRange } from '@berth/dockerfile'
import { DockerfileError } from '@berth/dockerfile'
import { type ErrorDetail, grpcCode, GrpcError } from '@berth/buildkit-protocol'
import { type BuildTeller, buildMessage } from '../progress/tell-build.ts'

/** Messages of errdefs as JSON: clients decode what ends in `+json`. */
const errdefs = 'github.com/moby/buildkit/errdefs.'

/** The file that was built. */
export interface SourceFile {
  readonly filename: string
  readonly text: string
}

/** An error of a build, with the lines that clients show an excerpt of. */
export function buildError(error: unknown, source: SourceFile, steps: BuildTeller): GrpcError {
  if (error instanceof GrpcError) return error
  const failed = steps.failedStep(error)
  const lines = error instanceof DockerfileError ? error.lines : failed?.step.lines
  const details = [
    ...(lines ? [sourceDetail(source, lines)] : []),
    ...(failed && failed.vertex !== '' ? [detail('Vertex', { digest: failed.vertex })] : []),
  ]
  const isGivenUp = error instanceof Error && error.name === 'AbortError'
  if (isGivenUp) return new GrpcError(grpcCode.cancelled, 'context canceled')
  return new GrpcError(grpcCode.unknown, buildMessage(error), details)
}

/** A request that the frontend does not know. */
export const unknownRequest = (name: string): GrpcError =>
  new GrpcError(grpcCode.unknown, `unsupported request ${name}`, [detail('Subrequest', { name })])

const sourceDetail = ({ filename, text }: SourceFile, { start, end }: LineRange): ErrorDetail =>
  detail('Source', {
    info: { filename, data: Buffer.from(text).toString('base64'), language: 'Dockerfile' },
    ranges: [{ start: { line: start }, end: { line: end } }],
  })

const detail = (name: string, value: unknown): ErrorDetail => ({
  typeUrl: `${errdefs}${name}+json`,
  value: Buffer.from(JSON.stringify(value)),
})
