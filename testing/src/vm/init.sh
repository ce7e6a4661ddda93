#!/busybox sh
# The first program of a virtual machine, in its initramfs. The root is the host's, read-only, below the guest's own files
# and a tmpfs for what is written; /scratch is a disk with ext4. Runs /report/command and leaves its exit code in
# /report/status. `cgroups` of the kernel's command line: unified (version 2 alone) or legacy (version 1 alone).
b=/busybox
$b mkdir -p /proc /sys /dev /host /extra /written /root
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do
  $b insmod "/modules/$module" || echo "init: cannot load $module"
done
share=trans=virtio,version=9p2000.L,msize=512000
$b mount -t 9p -o "ro,cache=loose,$share" host /host
$b mount -t 9p -o "ro,cache=loose,$share" extra /extra
$b mount -t tmpfs tmpfs /written
$b mkdir /written/upper /written/work
$b mount -t overlay -o lowerdir=/extra:/host,upperdir=/written/upper,workdir=/written/work root /root
$b mount -t proc proc /root/proc
$b mount -t sysfs sysfs /root/sys
$b mount -t securityfs securityfs /root/sys/kernel/security
$b mount -t devtmpfs dev /root/dev
$b mkdir -p /root/dev/pts /root/dev/shm /root/report /root/scratch
$b mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /root/dev/pts
$b mount -t tmpfs tmpfs /root/dev/shm
$b mount -t tmpfs -o mode=755 tmpfs /root/run
$b mount -t 9p -o "cache=none,$share" report /root/report
$b mount -t ext4 /dev/vda /root/scratch
$b hostname machine
$b ip link set lo up
case $($b grep -o 'cgroups=[a-z]*' /proc/cmdline) in
  cgroups=unified)
    $b mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
    # The root cgroup holds nothing but what init systems leave there.
    $b mkdir /root/sys/fs/cgroup/session.scope
    echo $$ >/root/sys/fs/cgroup/session.scope/cgroup.procs
    ;;
  cgroups=legacy)
    $b mount -t tmpfs tmpfs /root/sys/fs/cgroup
    for controller in $($b awk '$4 == 1 { print $1 }' /proc/cgroups) name=systemd; do
      at=/root/sys/fs/cgroup/${controller#name=}
      $b mkdir "$at"
      $b mount -t cgroup -o "$controller" cgroup "$at"
    done
    ;;
esac
exec $b switch_root /root /bin/sh -c '
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/scratch LANG=C.UTF-8
  chmod 1777 /scratch
  # What an engine makes the kernel load by and by, a modprobe each, at once.
  modprobe -a bridge veth nf_tables nft_nat nft_chain_nat nft_fib_inet nft_ct nft_masq
  { sh /report/command; echo $? >/report/status; } </dev/null 2>&1 | cat >"$(echo /dev/vport*)"
  sync
  busybox poweroff -f
'
