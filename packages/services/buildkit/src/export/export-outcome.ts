import { invalid } from '@berth/base'
import type { Attestation, Images } from '@berth/images'
import type { Descriptor } from '@berth/oci'
import type { Job } from '../jobs/job.ts'
import type { PlatformOutcome } from '../jobs/outcomes.ts'
import type { Session } from '../session/session.ts'
import { exportArchive } from './export-archive.ts'
import { exportTar, exportTree } from './export-files.ts'
import { exportImage } from './export-image.ts'

/** One `--output`. */
export interface Export {
  /** By which the client knows where it goes. */
  readonly id: number
  readonly type: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface ExportContext {
  readonly images: Pick<Images, 'list' | 'resolve' | 'remove' | 'save' | 'push' | 'publish' | 'pack'>
  readonly job: Job
  /** The image tells of the steps that made it. */
  readonly isCache: boolean
  session(): Promise<Session>
}

/** What is said of an image: by which manifest and names it will be known; undefined where it has none. */
export interface Attested {
  readonly manifest: Descriptor | undefined
  readonly names: readonly string[]
}

/** What a build has made. */
export interface Built {
  /** One a platform, in the order that they were asked for. */
  readonly outcomes: readonly PlatformOutcome[]
  /** It is an index, or folders, of them, though there be one only. */
  readonly isMultiPlatform: boolean
  /** Undefined: nobody asked for attestations. */
  readonly attests: ((made: PlatformOutcome, attested: Attested) => readonly Attestation[]) | undefined
}

/** What the client is told of an export. */
export type ExportResponse = Readonly<Record<string, string>>

type Exporter = (context: ExportContext, built: Built, wanted: Export) => Promise<ExportResponse>

const exporters: ReadonlyMap<string, Exporter> = new Map([
  ['moby', exportImage],
  ['image', exportImage],
  ['local', exportTree],
  ['tar', exportTar],
  ['docker', exportArchive],
  ['oci', exportArchive],
])

/** Throws `invalid`, in BuildKit's words, for a kind of output that there is not. */
export function requireExporter(type: string): Exporter {
  const exporter = exporters.get(type)
  if (!exporter) throw invalid(`exporter ${JSON.stringify(type)} could not be found`)
  return exporter
}

/** Brings what was built where the client wants it. */
export async function exportOutcome(context: ExportContext, built: Built, wanted: Export): Promise<ExportResponse> {
  return await requireExporter(wanted.type)(context, built, wanted)
}
