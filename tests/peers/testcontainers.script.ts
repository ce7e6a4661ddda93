// Run by testcontainers.test.ts beside the engine: what users of testcontainers do, as one JSON object.
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { GenericContainer, Network, type StartedTestContainer, Wait } from 'testcontainers'

const [context = ''] = process.argv.slice(2)
const serve = 'mkdir /www; echo hello > /www/index.html; echo started; exec httpd -f -p 80 -h /www'

const network = await new Network().start()
const web = await new GenericContainer('busybox')
  .withCommand(['sh', '-c', serve])
  .withExposedPorts(80)
  .withNetwork(network)
  .withNetworkAliases('web')
  .withCopyContentToContainer([{ content: 'content', target: '/tmp/copied' }])
  .withWaitStrategy(Wait.forAll([Wait.forListeningPorts(), Wait.forLogMessage('started')]))
  .start()
const image = await GenericContainer.fromDockerfile(context).build()
const neighbour = await image
  .withNetwork(network)
  .withHealthCheck({ test: ['CMD', 'true'], interval: 200 })
  .start()
const found = {
  page: await page(web),
  copied: (await web.exec(['cat', '/tmp/copied'])).stdout,
  failure: (await web.exec(['sh', '-c', 'exit 3'])).exitCode,
  built: (await neighbour.exec(['cat', '/built'])).stdout,
  neighbour: (await neighbour.exec(['wget', '-qO-', 'http://web/'])).stdout,
  logged: await hasLogged(web, 'started'),
  again: await web.restart().then(() => page(web)),
  waited: await waitInVain(),
}
await neighbour.stop()
await web.stop()
await network.stop()
console.log(JSON.stringify(found))
process.exit()

async function page(container: StartedTestContainer): Promise<string> {
  const answer = await fetch(`http://${container.getHost()}:${container.getMappedPort(80)}/`)
  return await answer.text()
}

async function hasLogged(container: StartedTestContainer, text: string): Promise<boolean> {
  const logs = await container.logs()
  // Their connection alone does not keep the process up.
  const first = (await Promise.race([once(logs, 'data'), setTimeout(10_000, [])])) as (Buffer | string)[]
  logs.destroy()
  return String(first[0]).includes(text)
}

/** A container that does not become ready is stopped and removed by testcontainers. */
async function waitInVain(): Promise<string> {
  const silent = new GenericContainer('busybox')
    .withCommand(['sleep', '100'])
    .withWaitStrategy(Wait.forLogMessage('never'))
    .withStartupTimeout(300)
  return await silent.start().then(
    () => 'started',
    () => 'timed out',
  )
}
