export { anticipateCgroupMove } from './cgroup/anticipate-move.ts'
export {
  cgroupPaths,
  cgroupProcesses,
  controllerPath,
  freezeCgroup,
  killCgroupTree,
  removeCgroup,
  thawCgroup,
} from './cgroup/cgroup.ts'
export { type Cgroups, detectCgroups, readControllers } from './cgroup/detect.ts'
export { enterUnified, taskFiles } from './cgroup/enter.ts'
export { oomKillCount, watchOom } from './cgroup/oom.ts'
export { adoptStrayControllers, releaseStrayControllers } from './cgroup/stray-controllers.ts'
export { forgetDatagrams } from './conntrack/forget-datagrams.ts'
export { type DeflateBlock, openIsal } from './deflate/isal.ts'
export { LinuxError } from './error.ts'
export { isWritable } from './file/access.ts'
export {
  fchmodat,
  fchownat,
  type FileName,
  linkat,
  makeDevice,
  mkdirat,
  mknodat,
  procFd,
  readlinkat,
  renameat2,
  symlinkat,
  unlinkat,
  utimensat,
} from './file/at.ts'
export {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_PATH,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from './file/constants.ts'
export { isOverlay, isTmpfs, kernelVersion, lastCapability, mountRestrictions, umask } from './file/file-system.ts'
export { lockFile } from './file/lock.ts'
export { openInRoot, openInRootIfThere, type OpenInRootOptions } from './file/open-in-root.ts'
export { removeFile } from './file/remove-file.ts'
export { sealedCopy } from './file/sealed-copy.ts'
export { type FileStatus, fstatat, fstatatIfThere, isMountPoint, mountIdOf } from './file/statx.ts'
export { spreadSubdirectories } from './file/spread.ts'
export { syncFileSystem } from './file/sync.ts'
export { getXattr, listXattrs, removeXattr, setXattr, type XattrTarget } from './file/xattr.ts'
export { type MountInfo, parseMountInfo, readMountInfo } from './mount/mount-info.ts'
export {
  bindMount,
  mount,
  mountAsync,
  type MountOptions,
  MS_BIND,
  MS_DIRSYNC,
  MS_MANDLOCK,
  MS_MOVE,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  MS_UNBINDABLE,
  type Propagation,
  setPropagation,
  unmount,
  unmountAsync,
} from './mount/mount.ts'
export { attachMount, cloneMount, type DetachedMountOptions } from './mount/detached-mount.ts'
export { mountOverlay, overlayData, type OverlayOptions } from './mount/overlay.ts'
export { MountNamespace } from './namespace/mount-namespace.ts'
export { createNetns, inNetns, pinNetns, unpinNetns } from './namespace/netns.ts'
export { formatAddress, formatMac, parseAddress, parseMac } from './netlink/ip-address.ts'
export {
  type Link,
  type LinkAddress,
  type LinkState,
  type LinkStatistics,
  type IpvlanFlag,
  type IpvlanMode,
  type MacvlanMode,
  type StackedKind,
  type StackedOptions,
  type Route,
  RouteRequest,
  RouteSocket,
  type VethOptions,
} from './netlink/route-socket.ts'
export { endConnection, endWriting, isConnected, resetConnection, sendAtOnce, splice } from './network/connections.ts'
export { type Datagram, DatagramReader, type ReplyAddress, sendDatagram } from './network/datagrams.ts'
export {
  connectDescriptors,
  type DescriptorPacket,
  listenDescriptors,
  receiveDescriptors,
  sendDescriptors,
} from './network/descriptor-socket.ts'
export { describeListener, type Listener } from './network/describe-listener.ts'
export { type SocketAddress } from './network/socket-address.ts'
export {
  acceptSocket,
  type BoundSocket,
  connectSocket,
  hasLoopbackV6,
  type ListenOptions,
  listenSocket,
  localAddress,
  type SocketProtocol,
} from './network/sockets.ts'
export { type NftChange, type NftElement, NftElements } from './nft/elements.ts'
export { LocalRedirect } from './nft/redirect.ts'
export { listRuleset, loadRuleset } from './nft/ruleset.ts'
export { type NftWatchOptions, watchNft } from './nft/watch.ts'
export {
  closeOnExec,
  duplicate,
  eventfd,
  keepOnExec,
  openPipe,
  pipe,
  type Poll,
  type PollEvents,
  pollFd,
  readableBytes,
  setNonBlocking,
  waitReadable,
  waitWritable,
} from './process/descriptors.ts'
export { Epoll } from './process/epoll.ts'
export {
  type ExitStatus,
  killPid,
  parseExitStatus,
  pidfdOpen,
  pidfdSendSignal,
  setSubreaper,
  waitPid,
} from './process/process.ts'
export { hastenWithoutChildren } from './process/priority.ts'
export { Reaper } from './process/reaper.ts'
export { reapUnclaimed } from './process/unclaimed.ts'
export { spawnProcess, type SpawnProcessOptions } from './process/spawn.ts'
export { trimMemory } from './process/trim-memory.ts'
export { type ConsoleSocket, listenConsole, receiveFd, setWindowSize } from './pty/console-socket.ts'
export { PtyStream } from './pty/pty-stream.ts'
export { type IdMaps, type IdRange, openUserNamespace } from './namespace/user-namespace.ts'
