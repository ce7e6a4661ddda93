// Volumes whose files another host serves: NFS and CIFS, by servers beside the engine.
import { Cli, command, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'

/** Runs a script on the engine's network, with the machine's own mounts: the engine's end finds nothing of it. */
async function onNetwork(netns: string, script: string): Promise<void> {
  const { code, stdout, stderr } = await command('nsenter', [`--net=${netns}`, 'sh', '-ec', script])
  assert.equal(code, 0, `${stdout}${stderr}`)
}

let served: Promise<void> | undefined
// Before the engine's own end.
after(() => onNetwork(engine.daemon!.sandbox.netns, endServers))
const engine = useEngine({
  prepare: ({ netns }) => void (served = onNetwork(netns, nfsServer + smbServer)),
})
const cli = new Cli('berth', engine)

const nfsServer = `
  mount -t tmpfs tmpfs /var/lib/nfs
  mkdir -p /var/lib/nfs/v4recovery /scratch/exported
  touch /var/lib/nfs/etab /var/lib/nfs/rmtab
  modprobe nfsd
  mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
  echo '/scratch/exported *(rw,no_root_squash,insecure,fsid=0,no_subtree_check)' >/etc/exports
  exportfs -ra
  rpc.mountd -N 3
  rpc.nfsd -N 3 -V 4.2 -G 10 -L 10 2
`

const smbServer = `
  mkdir -p /scratch/shared /scratch/smb/rpc
  cat >/scratch/smb/conf <<END
[global]
  server role = standalone server
  smb ports = 445
  disable netbios = yes
  private dir = /scratch/smb
  state directory = /scratch/smb
  cache directory = /scratch/smb
  lock directory = /scratch/smb
  pid directory = /scratch/smb
  ncalrpc dir = /scratch/smb/rpc
  log file = /scratch/smb/log
[files]
  path = /scratch/shared
  read only = no
END
  printf 'secret\\nsecret\\n' | smbpasswd -c /scratch/smb/conf -s -a root
  smbd -D -s /scratch/smb/conf
`

const endServers = `
  exportfs -ua
  rpc.nfsd 0
  kill $(busybox pidof rpc.mountd) $(cat /scratch/smb/smbd.pid)
  umount /proc/fs/nfsd
  umount -l /var/lib/nfs
`

/** The mounts of a kind that the engine holds. */
function mountsOf(type: string): string {
  const mounts = readFileSync(`/proc/${engine.daemon!.sandbox.pid}/mounts`, 'utf8')
  return mounts
    .split('\n')
    .filter((line) => line.includes(` ${type} `))
    .join('\n')
}

/** A container writes into the volume, another reads it; the mount is there while they run, and then no more. */
async function writeAndRead(volume: string, type: string): Promise<void> {
  const name = engine.name()
  await cli.ok('run', '-d', '--name', name, '-v', `${volume}:/data`, 'busybox', 'sleep', '10000')
  await cli.ok('exec', name, 'sh', '-c', 'echo kept >/data/file')
  assert.match(mountsOf(type), new RegExp(`/${volume}/_data ${type} `))
  assert.equal(await cli.ok('run', '--rm', '-v', `${volume}:/data:ro`, 'busybox', 'cat', '/data/file'), 'kept')
  await cli.ok('rm', '-f', name)
  assert.equal(mountsOf(type), '')
}

test('a volume of type nfs is mounted while containers use it', async () => {
  await served
  const options = ['-o', 'type=nfs', '-o', 'o=addr=127.0.0.1,rw,nfsvers=4.2', '-o', 'device=:/']
  await cli.ok('volume', 'create', ...options, 'remote')
  await writeAndRead('remote', 'nfs4')
  assert.equal(readFileSync('/scratch/exported/file', 'utf8'), 'kept\n')
})

const share = (password: string): string[] => {
  const how = `o=addr=127.0.0.1,username=root,password=${password}`
  return ['-o', 'type=cifs', '-o', how, '-o', 'device=//127.0.0.1/files']
}

test('a volume of type cifs is mounted while containers use it', async () => {
  await served
  await cli.ok('volume', 'create', ...share('secret'), 'windows')
  await writeAndRead('windows', 'cifs')
  assert.equal(readFileSync('/scratch/shared/file', 'utf8'), 'kept\n')
})

test('a server that refuses fails the start, by the kernel’s word', async () => {
  await served
  await cli.ok('volume', 'create', ...share('wrong'), 'refused')
  const { code, stderr } = await cli.run(['run', '--name', 'refused', '-v', 'refused:/data', 'busybox', 'true'])
  assert.match(stderr, /failed to mount local volume: mount \/\/127\.0\.0\.1\/files:.*permission denied/)
  assert.equal(code, 126)
  await cli.ok('rm', 'refused')
  await cli.ok('volume', 'rm', 'refused')
})

test('a server that has no such folder fails the start, by the kernel’s word, and leaves what can be removed', async () => {
  await served
  const options = ['-o', 'type=nfs', '-o', 'o=addr=127.0.0.1,rw,nfsvers=4.2', '-o', 'device=:/nothing']
  await cli.ok('volume', 'create', ...options, 'missing')
  const { code, stderr } = await cli.run(['run', '--name', 'unstarted', '-v', 'missing:/data', 'busybox', 'true'])
  // docker's code for whatever is not there
  assert.equal(code, 127)
  assert.match(stderr, /failed to mount local volume: mount :\/nothing:.*no such file or directory/)
  await cli.ok('rm', 'unstarted')
  await cli.ok('volume', 'rm', 'missing')
})
