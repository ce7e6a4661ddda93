import { invalid } from '@berth/base'
import { formatPlatform, normalizePlatform, parsePlatform } from '@berth/oci'
import type { Export } from './export-outcome.ts'

type Pairs = Readonly<Record<string, string>>

/** `--annotation`, by what is annotated. */
export interface Annotations {
  readonly index: Pairs
  readonly indexDescriptor: Pairs
  /** Of one platform, with those of all. */
  manifest(platform: string): Pairs
  manifestDescriptor(platform: string): Pairs
  readonly isEmpty: boolean
}

type Kind = 'index' | 'index-descriptor' | 'manifest' | 'manifest-descriptor'

interface Annotation {
  readonly kind: Kind
  /** '' is every one. */
  readonly platform: string
  readonly key: string
  readonly value: string
}

const kinds: readonly string[] = ['index', 'index-descriptor', 'manifest', 'manifest-descriptor']

/** As clients write them: `annotation[-KIND][[PLATFORM]].KEY`. */
const form = /^annotation(?:-([a-z-]+))?(?:\[([A-Za-z0-9_/.-]+)\])?\.(\S+)$/

/** Reads the annotations of an exporter. Throws `invalid` for one of no known kind, or of a platform that is not built. */
export function decodeAnnotations(
  { attributes }: Pick<Export, 'attributes'>,
  platforms: readonly string[],
): Annotations {
  const all = Object.entries(attributes).flatMap(([name, value]) => decodeAnnotation(name, value) ?? [])
  const stranger = all.find(({ platform }) => platform !== '' && !platforms.includes(platform))
  if (stranger) throw invalid(`invalid annotation: no platform ${stranger.platform} found in source`)
  const pairs = (kind: Kind, platform?: string): Pairs =>
    Object.fromEntries(
      [...all.filter((one) => one.platform === ''), ...all.filter((one) => one.platform !== '')]
        .filter((one) => one.kind === kind && (one.platform === '' || one.platform === platform))
        .map(({ key, value }) => [key, value]),
    )
  return {
    index: pairs('index'),
    indexDescriptor: pairs('index-descriptor'),
    manifest: (platform) => pairs('manifest', platform),
    manifestDescriptor: (platform) => pairs('manifest-descriptor', platform),
    isEmpty: all.length === 0,
  }
}

function decodeAnnotation(name: string, value: string): Annotation | undefined {
  if (!name.startsWith('annotation')) return undefined
  const [, kind = 'manifest', platform = '', key] = form.exec(name) ?? []
  if (key === undefined) throw invalid(`invalid annotation key ${JSON.stringify(name)}`)
  if (!kinds.includes(kind)) throw invalid(`unrecognized annotation type ${kind}`)
  if (platform !== '' && kind.startsWith('index')) throw invalid(`annotation ${name}: an index is of no platform`)
  const canonical = platform === '' ? '' : formatPlatform(normalizePlatform(parsePlatform(platform)))
  return { kind: kind as Kind, platform: canonical, key, value }
}
