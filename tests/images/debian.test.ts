import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cli, useEngine } from '@berth/testing'

const engine = useEngine({ images: ['debian'] })
const docker = new Cli('docker', engine)
const image = 'debian:bookworm'

test('a whole distribution loads, with its owners, modes, links and setuid programs', async () => {
  const script =
    'id -un; stat -c "%a %U:%G" /usr/bin/passwd /var/mail /tmp; readlink /bin; bash -c "echo $BASH_VERSION" | cut -c1'
  const out = await docker.ok('run', '--rm', image, 'sh', '-c', script)
  assert.deepEqual(out.split('\n').slice(0, 5), [
    'root',
    '4755 root:root',
    '2775 root:mail',
    '1777 root:root',
    'usr/bin',
  ])
})

test('dpkg finds every file of an essential package as it was packed', async () => {
  const script = 'dpkg --verify dash coreutils libc6 login | grep -vE "/usr/share/(doc|man|info|locale)"; true'
  assert.equal(await docker.ok('run', '--rm', image, 'sh', '-c', script), '') // those are left out of the image
})

test('apt runs as root and drops to its own user', async () => {
  assert.match(await docker.ok('run', '--rm', image, 'apt-get', '--version'), /^apt \d/)
  assert.equal(await docker.ok('run', '--rm', '-u', '_apt', image, 'id', '-un'), '_apt')
})

test('a change deep in a distribution is one small layer', async () => {
  const [name, changed] = [engine.name(), `${engine.name()}:x`]
  await docker.ok('run', '--name', name, image, 'sh', '-c', 'rm -r /usr/share/perl5; echo x >> /etc/profile')
  await docker.ok('commit', name, changed)
  assert.equal(
    await docker.ok('run', '--rm', changed, 'sh', '-c', 'ls -d /usr/share/perl5 2>&1; tail -1 /etc/profile'),
    "ls: cannot access '/usr/share/perl5': No such file or directory\nx",
  )
  assert.match(await docker.ok('history', '--format', '{{.Size}}', changed), /^\d{1,3}(\.\d+)?k?B\n/)
  await docker.ok('rm', name)
  await docker.ok('rmi', changed)
})
