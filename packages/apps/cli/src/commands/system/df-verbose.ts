import type { DiskUsageResponse } from '@berth/engine-api'
import type { Cli } from '../../cli.ts'
import { humanSize } from '../../output/units.ts'
import { renderText, type View } from '../../output/view.ts'
import { cacheBytes, cacheView, type CacheRecord, oldestUseFirst } from '../builder/cache-view.ts'
import { containerView } from '../container/container-view.ts'
import { type ImageRow, imageRows, imageView } from '../image/image-view.ts'
import { volumeView } from '../volume/volume-view.ts'

/** Everything that takes space, one by one. */
export async function printVerbose(cli: Cli, usage: DiskUsageResponse, format: string): Promise<void> {
  if (format === '' || format === 'table') await printTables(cli, usage)
  else await printDocument(cli, usage, format)
}

const imageColumns = ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers']
const containerColumns = ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names']
const cacheColumns = ['ID', 'CacheType', 'Size', 'CreatedSince', 'LastUsedSince', 'UsageCount', 'Shared']

async function printTables(cli: Cli, usage: DiskUsageResponse): Promise<void> {
  const table = <T>(rows: readonly T[], view: View<T>, defaults: readonly string[]): Promise<string> =>
    renderText(rows, view, { format: '', defaults })
  const cache = sortedCache(usage)
  const images = await table(imageRows(usage.Images ?? [], false), imageView(true), imageColumns)
  const containers = await table(ownSizes(usage), containerView(true), containerColumns)
  const volumes = await table(usage.Volumes ?? [], volumeView, ['Name', 'Links', 'Size'])
  cli.out(`Images space usage:\n\n${images}\nContainers space usage:\n\n${containers}\n`)
  cli.out(`Local Volumes space usage:\n\n${volumes}\nBuild cache usage: ${humanSize(cacheBytes(cache))}\n\n`)
  cli.out(await table(cache, cacheView(true), cacheColumns))
}

async function printDocument(cli: Cli, usage: DiskUsageResponse, format: string): Promise<void> {
  const { part, renderDocument } = await import('../../output/template-view.ts')
  const parts = {
    Images: part(withoutDigests(usage), imageView(false)),
    Containers: part(ownSizes(usage), containerView(false)),
    Volumes: part(usage.Volumes ?? [], volumeView),
    BuildCache: part(sortedCache(usage), cacheView(false)),
  }
  cli.out(
    renderDocument(parts, { goType: '*formatter.diskUsageContext', format: format === 'raw' ? rawFormat : format }),
  )
}

/** What `raw` stands for: docker's own template. */
const rawFormat = `{{range .Images}}type: Image
repository: {{.Repository}}
tag: {{.Tag}}
digest: {{.Digest}}
image_id: {{.ID}}
created_at: {{.CreatedAt}}
virtual_size: {{.Size}}

{{end -}}
{{range .Containers}}type: Container
container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
size: {{.Size}}

{{end -}}
{{range .Volumes}}type: Volume
name: {{.Name}}
driver: {{.Driver}}

{{end -}}
{{range .BuildCache}}type: Build Cache
build_cache_id: {{.ID}}
parent_id: {{.Parent}}
build_cache_type: {{.CacheType}}
description: {{.Description}}
created_at: {{.CreatedAt}}
created_since: {{.CreatedSince}}
last_used_at: {{.LastUsedAt}}
last_used_since: {{.LastUsedSince}}
usage_count: {{.UsageCount}}
in_use: {{.InUse}}
shared: {{.Shared}}

{{end -}}`

const withoutDigests = ({ Images }: DiskUsageResponse): ImageRow[] =>
  imageRows(Images ?? [], false).map((row) => ({ ...row, digest: '' }))

const sortedCache = ({ BuildCache }: DiskUsageResponse): CacheRecord[] => (BuildCache ?? []).toSorted(oldestUseFirst)

/** What their images take is told of there. */
const ownSizes = ({ Containers }: DiskUsageResponse): NonNullable<DiskUsageResponse['Containers']> =>
  (Containers ?? []).map((container) => ({ ...container, SizeRootFs: 0 }))
