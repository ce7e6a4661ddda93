/** What the registry counts, in the text format of Prometheus. */
export class Metrics {
  readonly #requests = new Map<string, number>()
  receivedBytes = 0
  sentBytes = 0
  active = 0
  upstreamHits = 0
  upstreamMisses = 0
  upstreamFailures = 0

  countRequest(method: string, status: number): void {
    const key = `method="${knownMethods.has(method) ? method : 'other'}",status="${status}"`
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1)
  }

  render(gauges: Readonly<Record<string, number>>): string {
    const name = (text: string): string => `berth_registry_${text}`
    const counter = (what: string, value: number) => [`# TYPE ${name(what)} counter`, `${name(what)} ${value}`]
    const lines = [
      `# TYPE ${name('requests_total')} counter`,
      ...[...this.#requests].map(([labels, count]) => `${name('requests_total')}{${labels}} ${count}`),
      ...counter('received_bytes_total', this.receivedBytes),
      ...counter('sent_bytes_total', this.sentBytes),
      ...counter('upstream_hits_total', this.upstreamHits),
      ...counter('upstream_misses_total', this.upstreamMisses),
      ...counter('upstream_failures_total', this.upstreamFailures),
      ...Object.entries({ requests_active: this.active, ...gauges }).flatMap(([what, value]) => [
        `# TYPE ${name(what)} gauge`,
        `${name(what)} ${value}`,
      ]),
    ]
    return `${lines.join('\n')}\n`
  }
}

/** Methods come from clients: as labels they would grow without end. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
