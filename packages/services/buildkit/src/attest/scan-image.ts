import { invalid } from '@berth/base'
import type { BuildOutcome, BuildProgress, BuildRequest, Builder, NamedContext } from '@berth/builder'
import type { Attestation } from '@berth/images'
import { formatPlatform, formatReference, parseReference, withDefaultTag } from '@berth/oci'
import type { Attested } from '../export/export-outcome.ts'
import { readDirectory, readFile } from '../gateway/read-outcome.ts'
import type { Job } from '../jobs/job.ts'
import type { PlatformOutcome } from '../jobs/outcomes.ts'
import type { SbomWish } from './decode-attestations.ts'
import { statementOf } from './statement.ts'

/** What a generator said of an image, before it is known what the image is called. */
export type Scanned = (made: PlatformOutcome, attested: Attested) => readonly Attestation[]

const predicateType = 'https://spdx.dev/Document'

/** Where a generator writes, and what it reads. */
const scannedPath = '/run/src/core/sbom'
const outPath = '/run/out'

/**
 * Runs a generator on what was built, as BuildKit does:
 * https://github.com/moby/buildkit/blob/master/docs/attestations/sbom-protocol.md. It is a build of its own: the same
 * confinement, and the same answer from the cache for the same files.
 */
export async function scanImage(
  builder: Pick<Builder, 'solve'>,
  job: Job,
  { wish, made, request }: { readonly wish: SbomWish; readonly made: PlatformOutcome; readonly request: BuildRequest },
): Promise<Scanned> {
  const name = formatReference(withDefaultTag(parseReference(wish.generator)))
  const title = `[${formatPlatform(made.platform)}] generating sbom using ${name}`
  return await job.progress.vertex(title).run(async (vertex) => {
    const tell: BuildProgress = (event) => {
      if (event.kind === 'output') vertex.log(event.stream, event.bytes)
    }
    const solve = (dockerfile: string, contexts: Readonly<Record<string, NamedContext>>) =>
      builder.solve(scanRequest(request, dockerfile, contexts), tell, job.signal)
    await using generator = await solve('FROM generator\n', { generator: { kind: 'image', reference: name } })
    await using written = await solve(scanDockerfile(commandOf(name, generator)), {
      generator: { kind: 'outcome', outcome: generator },
      scanned: { kind: 'outcome', outcome: made.outcome },
    })
    const statements = await readStatements(await written.rootPath(), name)
    return (about, attested) => statements.map((said) => statementOf(predicateType, said, { made: about, attested }))
  })
}

function commandOf(name: string, { config }: BuildOutcome): readonly string[] {
  const { Entrypoint, Cmd } = config.config ?? {}
  const command = [...(Entrypoint ?? []), ...(Cmd ?? [])]
  if (command.length === 0) throw invalid(`generator ${name} has no command`)
  return command
}

/** The command is the generator image's: nothing in it may be a heredoc, nor end the line. */
export function scanDockerfile(command: readonly string[]): string {
  const json = JSON.stringify(command).replaceAll('<', String.raw`\u003c`)
  return `FROM scratch AS nothing
FROM generator AS scan
ENV BUILDKIT_SCAN_DESTINATION=${outPath} BUILDKIT_SCAN_SOURCE=${scannedPath}
COPY --from=nothing / ${outPath}/
RUN --mount=type=tmpfs,target=/tmp --mount=type=bind,from=scanned,target=${scannedPath} ${json}
FROM scratch
COPY --from=scan ${outPath}/ /
`
}

function scanRequest(
  { credentials, pulls, run }: BuildRequest,
  dockerfile: string,
  contexts: Readonly<Record<string, NamedContext>>,
): BuildRequest {
  return {
    dockerfile,
    contexts: new Map(Object.entries(contexts)),
    contextDirectory: () => Promise.reject(new Error('a scan has no context')),
    entitlements: [],
    tags: [],
    args: {},
    labels: {},
    target: '',
    platform: '',
    noCache: false,
    pulls,
    credentials,
    run: { ...run, network: 'default' },
    style: 'buildkit',
  }
}

/** in-toto statements, of SPDX documents. The files are the generator's: they are read inside of their tree alone. */
async function readStatements(root: string, generator: string): Promise<object[]> {
  const entries = await readDirectory(root, '/')
  if (entries.length === 0) throw invalid(`generator ${generator} wrote nothing`)
  const statements: object[] = []
  for (const { path = '' } of entries) {
    statements.push(parseStatement(path, (await readFile(root, { filePath: path })).toString()))
  }
  return statements
}

/** Throws `invalid` for what is no statement of an SPDX document. */
export function parseStatement(path: string, text: string): object {
  const found = parseObject(text)
  if (found === undefined) throw invalid(`the generator's ${path} is no in-toto statement`)
  if (found['predicateType'] !== predicateType) {
    throw invalid(`the generator's ${path} does not match required predicate type ${predicateType}`)
  }
  return found
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
