import {
  familiarName,
  formatPlatform,
  normalizePlatform,
  parseReference,
  type Platform,
  withDefaultTag,
} from '@berth/oci'

/** An image as a package: https://github.com/package-url/purl-spec, the way BuildKit writes it. */
export function packageUrl(name: string, platform: Platform | undefined): string {
  const reference = parseReference(name)
  const { tag, digest } = reference.digest === undefined ? withDefaultTag(reference) : reference
  const path = familiarName(reference).split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':')
  const qualifiers = [
    ...(digest === undefined ? [] : [`digest=${digest}`]),
    ...(platform ? [`platform=${encodeURIComponent(formatPlatform(normalizePlatform(platform)))}`] : []),
  ]
  const version = tag === undefined ? '' : `@${encodeURIComponent(tag)}`
  return `pkg:docker/${path}${version}${qualifiers.length > 0 ? `?${qualifiers.join('&')}` : ''}`
}
