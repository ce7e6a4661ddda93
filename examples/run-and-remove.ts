// Runs a web server until it takes connections, asks it something, and leaves nothing behind.
import { openEngine } from '@berth/engine-client'

using engine = openEngine()
await using web = await engine.run('busybox', {
  command: ['sh', '-c', 'mkdir /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www'],
  ready: { port: 80 },
})
const { host, port } = await web.port(80)
const answer = await fetch(`http://${host}:${port}/`)
console.log(await answer.text())
