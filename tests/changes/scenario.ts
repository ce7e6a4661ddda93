import { tarEntry, type TarSource, writeTar } from '@berth/testing'

// What a container finds below /t, and what it does there.

const at = (seconds: number) => ({ seconds: 1_000_000_000 + seconds, nanoseconds: 0 })
const bytesOf = (text: string) => Buffer.from(text)
/** struct vfs_cap_data (linux/capability.h), version 2, effective: cap_net_bind_service. */
const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')

function directory(path: string, fields: object = {}): TarSource {
  return { entry: tarEntry({ path: `${path}/`, type: 'directory', mode: 0o755, mtime: at(1), ...fields }) }
}

function file(path: string, fields: object = {}, content = path): TarSource {
  const entry = tarEntry({ path, mode: 0o644, mtime: at(2), sizeBytes: Buffer.byteLength(content), ...fields })
  return { entry, content: bytesOf(content) }
}

const link = (path: string, linkPath: string): TarSource => ({
  entry: tarEntry({ path, type: 'symlink', linkPath, mode: 0o777, mtime: at(3) }),
})
const hardLink = (path: string, linkPath: string): TarSource => ({
  entry: tarEntry({ path, type: 'hardlink', linkPath, mode: 0o644, mtime: at(2) }),
})
const node = (path: string, type: 'character' | 'block' | 'fifo', deviceMajor = 0, deviceMinor = 0): TarSource => ({
  entry: tarEntry({ path, type, deviceMajor, deviceMinor, mode: 0o600, mtime: at(4) }),
})

const long = `${'long-'.repeat(40)}name`

const lower: readonly TarSource[] = [
  directory('t'),
  directory('t/keep'),
  file('t/keep/file'),
  ...['content', 'same-content', 'mode', 'owner', 'times', 'touched', 'set-xattr', 'renamed', 'copied-up'].map((name) =>
    file(`t/${name}`),
  ),
  file('t/drop-xattr', { xattrs: new Map([['user.one', bytesOf('1')]]) }),
  file('t/kept-xattr', { xattrs: new Map([['user.two', bytesOf('two\0\xff')]]) }),
  file('t/capable', { mode: 0o755, xattrs: new Map([['security.capability', capability]]) }),
  file('t/capable-chowned', { mode: 0o755, xattrs: new Map([['security.capability', capability]]) }),
  file('t/setuid', { mode: 0o4755, uid: 7, gid: 8 }),
  file('t/gone'),
  directory('t/gone-dir'),
  directory('t/gone-dir/deep'),
  file('t/gone-dir/deep/file'),
  directory('t/dir-to-file'),
  file('t/dir-to-file/below'),
  file('t/file-to-dir'),
  directory('t/dir-to-link'),
  file('t/dir-to-link/below'),
  link('t/link-to-dir', 'keep'),
  directory('t/opaque'),
  file('t/opaque/old'),
  file('t/opaque/both'),
  directory('t/emptied'),
  file('t/emptied/file'),
  directory('t/moved'),
  file('t/moved/file'),
  directory('t/moved/sub'),
  file('t/moved/sub/file'),
  directory('t/mode-dir'),
  file('t/mode-dir/file'),
  directory('t/sticky', { mode: 0o1777, uid: 3, gid: 4 }),
  file('t/one'),
  hardLink('t/two', 't/one'),
  file('t/first'),
  hardLink('t/second', 't/first'),
  file('t/unlinked'),
  hardLink('t/stays', 't/unlinked'),
  node('t/null', 'character', 1, 3),
  node('t/loop', 'block', 7, 99),
  node('t/fifo', 'fifo'),
  link('t/link', 'keep/file'),
  link('t/link-changed', 'before'),
  directory(`t/${long}`),
  file(`t/${long}/${long}`),
  file('t/größe-日本'),
  directory('t/bind'),
  directory('t/tmpfs'),
  directory('t/volume'),
  file('t/volume/from-image'),
]

/** The tree below /t as the image has it. */
export const lowerTree = async (): Promise<Buffer> => Buffer.concat(await Array.fromAsync(writeTar(lower)))

/** What is mounted, and so changes nothing. */
export const hostConfig = {
  Binds: ['/tmp:/t/bind'],
  Tmpfs: { '/t/tmpfs': '' },
  Mounts: [{ Type: 'volume', Target: '/t/volume' }],
}

/** Done by the container's shell. */
export const script = `
set -e; cd /t
echo new > added; mkdir -p added-dir/sub; echo new > added-dir/sub/file; ln -s nowhere added-link
echo more >> content; cat same-content > /s; cat /s > same-content; rm /s
chmod 600 mode; chown 5:6 owner; touch -d @1000000077 times; touch touched
mv renamed renamed-to; cat copied-up > /dev/null
chown 1:1 capable-chowned; chown 9:9 setuid
rm gone; rm -r gone-dir
rm -r dir-to-file; echo file > dir-to-file
rm file-to-dir; mkdir file-to-dir; echo x > file-to-dir/below
rm -r dir-to-link; ln -s keep dir-to-link
rm link-to-dir; mkdir link-to-dir; echo x > link-to-dir/below
rm -r opaque; mkdir opaque; echo new > opaque/both; echo new > opaque/new
rm emptied/file
cp -a moved moved-to; rm -r moved
chmod 700 mode-dir
echo more >> one; ln first third; rm unlinked
ln added added-hard; ln -s /t/keep absolute
mknod zero c 1 5; mknod disk b 7 98; mkfifo pipe
ln -sf after link-changed
truncate -s 1000000 sparse; echo end >> sparse
mkdir -p "$(printf 'not-\\377-utf8')"; echo x > "$(printf 'not-\\377-utf8/\\200\\201')"; echo x > "$(printf 'new\\nline')"
echo x > 'ñandú'; echo x > "q\\"uo\\\\te"; echo x > .wh; echo x > '#hash'
mkdir -p "${long}2"; echo x > "${long}2/${long}"
echo x > bind/berth-changes; rm bind/berth-changes; echo x > tmpfs/file; echo x > volume/file; rm volume/from-image
mkdir brief; rmdir brief; echo x > brief-file; rm brief-file
`

/** Done from outside, for a busybox has no such programs; {} is the container's root. */
export const outside = `
import os, socket, sys
root = sys.argv[1] + '/t/'
os.setxattr(root + 'set-xattr', 'user.new', b'value')
os.setxattr(root + 'keep', 'user.dir', b'value')
os.removexattr(root + 'drop-xattr', 'user.one')
os.chdir(root)
socket.socket(socket.AF_UNIX).bind('socket')
`
