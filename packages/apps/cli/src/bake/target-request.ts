import { posix } from 'node:path'
import { type Attestation, cleanPath, type Output as BakeOutput, type Target } from '@berth/bake'
import { type BuildRequest, emptyRequest, type Output } from '../buildkit/build-request.ts'
import { parseAnnotations } from '../buildkit/parse/annotations.ts'
import { parseAttests } from '../buildkit/parse/attests.ts'
import { parseCall } from '../buildkit/parse/call.ts'
import { parseSize } from '../flags/values.ts'
import { parseUlimit } from '../options/limits.ts'
import { isRemote } from '../buildkit/remote-context.ts'
import { platformsOf, sshOf } from './check-target.ts'

type Texts = Readonly<Record<string, string>>

/** The build that a target is; `proxies` are build args for those that it does not set. */
export function targetRequest({ name, fields }: Target, proxies: (known: readonly string[]) => Texts): BuildRequest {
  const buildArgs = toRecord(fields.args)
  const context = fields.context ?? '.'
  return {
    ...emptyRequest,
    name,
    context,
    dockerfile: dockerfileOf(context, fields.dockerfile ?? 'Dockerfile'),
    dockerfileInline: fields['dockerfile-inline'],
    namedContexts: toRecord(fields.contexts, (place) => (place.startsWith('cwd://') ? localPath(place) : place)),
    target: fields.target ?? '',
    tags: fields.tags ?? [],
    buildArgs: { ...proxies(Object.keys(buildArgs)), ...buildArgs },
    labels: toRecord(fields.labels),
    platforms: platformsOf(fields),
    outputs: outputsOf(fields.output ?? [], parseAnnotations(fields.annotations ?? [])),
    cacheFrom: (fields['cache-from'] ?? []).map(({ type, attributes }) => ({ type, attrs: attributes })),
    cacheTo: (fields['cache-to'] ?? []).map(({ type, attributes }) => ({ type, attrs: attributes })),
    secrets: (fields.secret ?? []).map(({ id, src, env }) => ({ id, file: src, env })),
    ssh: sshOf(fields),
    attests: parseAttests({ attest: (fields.attest ?? []).map(attestationText), provenance: '', sbom: '' }),
    entitlements: fields.entitlements ?? [],
    networkMode: fields.network ?? '',
    extraHosts: Object.entries(toRecord(fields['extra-hosts'])).map(([host, address]) => `${host}=${address}`),
    shmSizeBytes: fields['shm-size'] === undefined ? 0 : parseSize(fields['shm-size']),
    ulimits: (fields.ulimits ?? []).map(parseUlimit),
    noCache: fields['no-cache'] ?? false,
    noCacheFilter: fields['no-cache-filter'] ?? [],
    pull: fields.pull ?? false,
    call: parseCall(fields.call ?? ''),
  }
}

const localPath = (path: string): string => cleanPath(path.replace(/^cwd:\/\//, ''))

/** `null` is as if there were no such name. */
function toRecord(map: ReadonlyMap<string, string | null> | undefined, change = (text: string) => text): Texts {
  const given = [...(map ?? [])].filter((entry): entry is [string, string] => entry[1] !== null)
  return Object.fromEntries(given.map(([key, text]) => [key, change(text)]))
}

/** Below the context, unless it says that it is below the current folder. */
function dockerfileOf(context: string, path: string): string {
  if (path.startsWith('cwd://')) return posix.resolve(localPath(path))
  if (isRemote(path) || isRemote(context) || posix.isAbsolute(path)) return path
  return posix.join(context, path)
}

function outputsOf(outputs: readonly BakeOutput[], annotations: Texts): Output[] {
  const isAnnotated = Object.keys(annotations).length > 0
  const wanted = outputs.length === 0 && isAnnotated ? [{ type: 'image', dest: '', attributes: {} }] : outputs
  return wanted.map(({ type, dest, attributes }) => {
    const attrs: Texts = { ...attributes, ...annotations }
    return type === 'registry'
      ? { type: 'image', dest, attrs: { ...attrs, push: attrs['push'] ?? 'true' } }
      : { type, dest, attrs }
  })
}

const quoted = (field: string): string => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)

const attestationText = ({ type, isDisabled, attributes }: Attestation): string =>
  Object.entries({ type, ...(isDisabled ? { disabled: 'true' } : {}), ...attributes })
    .map(([key, value]) => quoted(`${key}=${value}`))
    .join(',')
