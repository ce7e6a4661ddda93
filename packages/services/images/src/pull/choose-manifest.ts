import { notFound } from '@berth/base'
import {
  type Descriptor,
  formatPlatform,
  hostPlatform,
  type Index,
  matchesPlatform,
  type Platform,
  platformRank,
} from '@berth/oci'

/** The entry of an index that suits `wanted` (default: this host) best. Throws `notFound` in Docker's words. */
export function chooseManifest({ manifests }: Index, wanted: Platform = hostPlatform()): Descriptor {
  const rank = (platform: Platform) => platformRank(wanted, platform) ?? Number.MAX_SAFE_INTEGER
  const [best] = manifests
    .flatMap((descriptor) => (descriptor.platform ? [{ descriptor, platform: descriptor.platform }] : []))
    .filter(({ platform }) => platform.os !== 'unknown' && matchesPlatform(wanted, platform))
    .toSorted((a, b) => rank(a.platform) - rank(b.platform))
  if (best) return best.descriptor
  throw notFound(`no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`)
}
