import { decodeIndex, type Descriptor, type Digest, maxManifestBytes } from '@berth/oci'
import { readDocument } from './http/read-limited.ts'
import { fetchManifest } from './manifests.ts'
import { RegistryError } from './errors.ts'
import type { Place } from './place.ts'
import type { Session } from './session.ts'
import { nextPage } from './tags.ts'

const maxPages = 100

/** Distribution spec, "Listing Referrers"; where the API is not there, the tag that stands in for it. */
export async function listReferrers(
  session: Session,
  { digest, artifactType }: { readonly digest: Digest; readonly artifactType: string | undefined },
  place: Place,
): Promise<Descriptor[]> {
  const found = (await fromApi(session, digest, place)) ?? (await fromTag(session, digest, place))
  return found.filter((one) => artifactType === undefined || one.artifactType === artifactType)
}

async function fromApi(session: Session, digest: Digest, place: Place): Promise<Descriptor[] | undefined> {
  const found: Descriptor[] = []
  let target: string | URL | undefined = `/v2/${place.path}/referrers/${digest}`
  for (let page = 0; target !== undefined && page < maxPages; page++) {
    const answer = await session.send({ method: 'GET', target, ...place })
    if (answer.status !== 200) {
      answer.body.resume()
      return undefined
    }
    const what = `the referrers of ${digest}`
    const limits = { maxBytes: maxManifestBytes, timeoutMs: place.timeouts.documentMs, what }
    found.push(...decodeIndex(await readDocument(answer, limits)).manifests)
    target = nextPage(answer.headers.link, answer.url)
  }
  return found
}

async function fromTag(session: Session, digest: Digest, place: Place): Promise<Descriptor[]> {
  try {
    const { bytes } = await fetchManifest(session, digest.replace(':', '-'), place)
    return decodeIndex(bytes).manifests
  } catch (error) {
    if (error instanceof RegistryError && error.facts.status === 404) return []
    throw error
  }
}
