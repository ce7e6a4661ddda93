/**
 * The value of a field whose name in Go differs from the one in JSON by its case (`APIVersion`, `ApiVersion`): templates
 * written for docker use Go's.
 */
export function byGoName(receiver: object, key: string): unknown {
  const wanted = key.toLowerCase()
  const name = Object.keys(receiver).find((one) => one.toLowerCase() === wanted)
  return name === undefined ? undefined : (receiver as Record<string, unknown>)[name]
}
