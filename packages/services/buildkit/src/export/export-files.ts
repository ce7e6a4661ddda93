import { invalid } from '@berth/base'
import { joinTars } from '@berth/builder'
import type { Readable } from 'node:stream'
import { sendFile } from '../fsutil/send-file.ts'
import { sendTree } from '../fsutil/send-tree.ts'
import { platformKey } from '../gateway/solve-platforms.ts'
import type { PlatformOutcome } from '../jobs/outcomes.ts'
import { attestationFiles } from './attestation-files.ts'
import type { Built, Export, ExportContext, ExportResponse } from './export-outcome.ts'

/** The files in the client's directory; of several platforms, each in a folder of its own. */
export async function exportTree(context: ExportContext, built: Built, wanted: Export): Promise<ExportResponse> {
  const { signal, progress } = context.job
  return await progress.vertex('exporting to client directory').run(async (vertex) => {
    for (const made of built.outcomes) {
      const status = vertex.status(`copying files${built.isMultiPlatform ? ` ${platformKey(made)}` : ''}`)
      const root = await made.outcome.rootPath()
      const { epochSeconds } = made.outcome
      const options = { exporterId: wanted.id, signal, onProgress: status.update, epochSeconds }
      const folder = folderOf(built, made, wanted)
      const files = attestationFiles(built, made, wanted)
      status.done(await sendTree(await context.session(), { root, folder, files }, options))
    }
    return {}
  })
}

/** The same as one tar. */
export async function exportTar(context: ExportContext, built: Built, wanted: Export): Promise<ExportResponse> {
  const { signal, progress } = context.job
  return await progress.vertex('exporting to client tarball').run(async (vertex) => {
    const status = vertex.status('sending tarball')
    const options = { exporterId: wanted.id, signal, onProgress: status.update }
    status.done(await sendFile(await context.session(), await packAll(built, wanted), options))
    return {}
  })
}

async function packAll(built: Built, wanted: Export): Promise<Readable> {
  const [only] = built.outcomes
  if (only && !built.isMultiPlatform && !built.attests) return await only.outcome.pack()
  const parts = built.outcomes.map((made) => {
    const folder = folderOf(built, made, wanted)
    if (folder === '' && built.outcomes.length > 1) {
      throw invalid('platform-split=false is not supported for a tar of several platforms')
    }
    return { folder, open: () => made.outcome.pack(), files: attestationFiles(built, made, wanted) }
  })
  return joinTars(parts)
}

/** `linux_arm64`; '' is the top. */
function folderOf({ isMultiPlatform }: Built, made: PlatformOutcome, { attributes }: Export): string {
  const text = attributes['platform-split'] ?? String(isMultiPlatform)
  if (!/^(?:true|false|0|1|t|f)$/i.test(text)) throw invalid(`invalid boolean value for platform-split: ${text}`)
  return /^(?:t|1)/i.test(text) ? platformKey(made).replaceAll('/', '_') : ''
}
