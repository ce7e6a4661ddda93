import type { Sample, Scale } from './cases.ts'
import type { BenchEngine } from './engine.ts'

/** Bytes from one container to another: straight, and by a published port of the host's. In milliseconds. */
export async function traffic(engine: BenchEngine, { trafficMb }: Scale): Promise<Sample> {
  const network = engine.newName()
  await engine.call('POST', '/networks/create', { Name: network, Labels: { 'berth-bench': '1' } })
  const ports = { '80/tcp': [{ HostIp: '', HostPort: '' }] }
  const server = await engine.create(['nc', '-ll', '-p', '80', '-e', 'cat', '/dev/zero'], {
    NetworkMode: network,
    PortBindings: ports,
  })
  await engine.call('POST', `/containers/${server}/start`)
  const { NetworkSettings: settings } = await engine.json<Inspected>('GET', `/containers/${server}/json`)
  const port = settings.Ports['80/tcp']?.[0]?.HostPort ?? ''
  try {
    return {
      'net-c2c': await fetch(engine, network, `nc ${server.slice(0, 12)} 80`, trafficMb),
      'net-pub': await fetch(engine, network, `nc $(ip route | awk '/default/ {print $3}') ${port}`, trafficMb),
    }
  } finally {
    await engine.call('DELETE', `/containers/${server}?force=1`)
    await engine.call('DELETE', `/networks/${network}`)
  }
}

interface Inspected {
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly { readonly HostPort: string }[]>> }
}

async function fetch(engine: BenchEngine, network: string, connect: string, mb: number): Promise<number> {
  const script = `until [ $(${connect} < /dev/null | head -c 1 | wc -c) = 1 ]; do sleep 0.1; done
    start=$(cut -d' ' -f1 /proc/uptime | tr -d .)
    bytes=$(${connect} < /dev/null | head -c ${mb}000000 | wc -c)
    echo $bytes $(($(cut -d' ' -f1 /proc/uptime | tr -d .) - start))0`
  const id = await engine.create(['sh', '-c', script], { NetworkMode: network })
  await engine.call('POST', `/containers/${id}/start`)
  await engine.call('POST', `/containers/${id}/wait`)
  const output = (await engine.call('GET', `/containers/${id}/logs?stdout=1&stderr=1`)).toString('latin1')
  await engine.call('DELETE', `/containers/${id}?force=1`)
  const [, bytes, ms] = /(\d+) (\d+)\n$/.exec(output) ?? []
  if (Number(bytes) !== mb * 1e6) throw new Error(`${connect}: ${output}`)
  return Number(ms)
}
