import { invalid } from '@berth/base'
import type { BuildOutcome, ImageOptions } from '@berth/builder'
import { formatReference, parseReference } from '@berth/oci'
import type { Export, ExportContext } from './export-outcome.ts'
import { layerCompression } from './layer-compression.ts'

/** Whole names of an image. */
export const namesOf = ({ attributes }: Export): string[] =>
  (attributes['name'] ?? '')
    .split(',')
    .filter(Boolean)
    .map((name) => formatReference(parseReference(name)))

export function imageOptions(
  { isCache }: ExportContext,
  { epochSeconds }: BuildOutcome,
  { attributes }: Export,
): ImageOptions {
  // Without a time there is nothing to write, as with BuildKit.
  return { isCache, rewritesTimes: attributes['rewrite-timestamp'] === 'true' && epochSeconds !== undefined }
}

/** Throws for what changes an image's bytes, or where it goes, and is not done. */
export function requireDone({ attributes }: Export): void {
  const wrong = Object.entries(refused).find(([name, value]) => attributes[name] === value)
  if (wrong) throw invalid(`exporter option ${wrong.join('=')} is not supported`)
  layerCompression(attributes)
}

const refused = { 'push-by-digest': 'true', 'registry.insecure': 'true' }
