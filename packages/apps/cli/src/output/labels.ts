/** `a=1,b=2`, in the order of the names. */
export function formatLabels(labels: Readonly<Record<string, string>> | null): string {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(',')
}
