import { archives } from './archives.ts'
import type { BuildCase } from './build-facts.ts'

const packed = [
  { path: 't.tgz', base64: archives.gzip },
  { path: 'u.tgz', base64: archives.gzipWithoutRoot },
  { path: 'text.tar', content: 'no archive at all' },
]

const tree = [
  { path: 'd', isDirectory: true, mode: 0o700 },
  { path: 'd/x', content: 'x' },
  { path: 'd/sub', isDirectory: true, mode: 0o711 },
  { path: 'd/sub/y', content: 'y', mode: 0o600 },
  { path: 'd/link', link: '../a' },
  { path: 'a', content: 'aaa', mode: 0o755 },
  { path: 'a.txt', content: 'text' },
  { path: 'b.txt', content: 'more' },
  { path: 'to-a', link: 'a' },
  { path: 'to-d', link: 'd' },
]

/** Small Dockerfiles, each about one thing; bases are the busybox fixture. */
export const cases: readonly BuildCase[] = [
  {
    name: 'run-changes',
    dockerfile: 'FROM busybox\nRUN mkdir /o && echo hi > /o/f && chown 5:6 /o/f && chmod 4750 /o/f && rm /etc/group',
  },
  { name: 'run-exec-form', dockerfile: 'FROM busybox\nRUN ["/bin/sh", "-c", "echo $0 > /x", "zero"]' },
  { name: 'run-fails', dockerfile: 'FROM busybox\nRUN exit 3' },
  { name: 'run-missing-program', dockerfile: 'FROM busybox\nRUN ["/nope"]' },
  { name: 'run-user', dockerfile: 'FROM busybox\nRUN mkdir -m 777 /w\nUSER 7:8\nRUN id -u > /w/u; id -g > /w/g' },
  { name: 'run-shell', dockerfile: 'FROM busybox\nSHELL ["/bin/sh", "-ec"]\nRUN echo a > /a\nCMD echo b' },
  { name: 'copy-file', dockerfile: 'FROM busybox\nCOPY a /x\nCOPY a /y/\nCOPY a.txt b.txt /z/\nCOPY a .', files: tree },
  {
    name: 'copy-directory',
    dockerfile: 'FROM busybox\nRUN mkdir -m 711 /have\nCOPY d /have\nCOPY d /new\nCOPY d /slash/',
    files: tree,
  },
  { name: 'copy-whole', dockerfile: 'FROM busybox\nWORKDIR /app\nCOPY . .', files: tree },
  {
    name: 'copy-twice',
    dockerfile:
      'FROM busybox\nRUN mkdir /e && ln -s /e /le\nCOPY d /le\nCOPY d /e/\nCOPY d /x\nRUN echo more >> /x/x; stat -c %h /x/x /e/x > /n',
    files: tree,
  },
  {
    name: 'copy-over-deleted',
    dockerfile:
      'FROM busybox\nRUN mkdir -p /e/sub && touch /e/sub/old\nRUN rm -r /e/sub\nCOPY d /e\nRUN ls /e/sub > /n',
    files: tree,
  },
  { name: 'copy-wildcard', dockerfile: 'FROM busybox\nCOPY *.txt /t/\nCOPY d/s*b /u/\nCOPY [ab].txt /v/', files: tree },
  { name: 'copy-links', dockerfile: 'FROM busybox\nCOPY to-a /fa\nCOPY to-d /fd', files: tree },
  {
    name: 'copy-through-links',
    dockerfile: 'FROM busybox\nRUN mkdir /real && ln -s /real /ln && ln -s ../../real /up\nCOPY a /ln/\nCOPY d /up/d',
    files: tree,
  },
  {
    name: 'copy-chown',
    dockerfile:
      'FROM busybox\nRUN echo "me:x:41:42::/:" >> /etc/passwd; echo "us:x:43:" >> /etc/group\nCOPY --chown=me:43 a /n1\nCOPY --chown=me:us d /n2\nCOPY --chown=9 a /n3\nCOPY --chown=9:8 a /new/n4',
    files: tree,
  },
  {
    name: 'copy-wildcards-behind-links',
    dockerfile: 'FROM busybox\nCOPY t*/x a /o/\nCOPY */x /p/\nCOPY */sub /r',
    files: tree,
  },
  {
    name: 'copy-wildcard-beneath-link',
    dockerfile: 'FROM busybox\nCOPY to-d/x* /q/',
    files: tree,
    isBuildkit: true,
  },
  { name: 'copy-wildcard-to-new', dockerfile: 'FROM busybox\nCOPY d/[sx]* to-d /o/p', files: tree },
  { name: 'copy-wildcard-file-first', dockerfile: 'FROM busybox\nCOPY [ad] /o/p', files: tree },
  {
    name: 'copy-chown-unknown-parts',
    dockerfile:
      'FROM busybox\nCOPY --chown=nobody:absent a /1\nCOPY --chown=5:absent a /2\nCOPY --chown=absent:5 a /3\nCOPY --chown=daemon: a /4',
    files: tree,
  },
  {
    name: 'copy-chmod-special',
    dockerfile: 'FROM busybox\nCOPY --chmod=4711 a /o/\nCOPY --chmod=1777 d /p/q',
    files: tree,
    isBuildkit: true,
  },
  {
    name: 'workdir-of-user',
    dockerfile:
      'FROM busybox\nUSER 5\nWORKDIR /a\nUSER nobody:absent\nWORKDIR /b/c\nUSER absent\nWORKDIR /d\nUSER daemon:7\nWORKDIR /e\nUSER 0',
  },
  { name: 'copy-missing', dockerfile: 'FROM busybox\nCOPY nope /x', files: tree },
  { name: 'copy-outside', dockerfile: 'FROM busybox\nCOPY ../a /x', files: tree },
  { name: 'copy-several-to-file', dockerfile: 'FROM busybox\nCOPY a.txt b.txt /x', files: tree },
  { name: 'copy-over-directory', dockerfile: 'FROM busybox\nRUN mkdir /t /t/a\nCOPY a /t', files: tree },
  { name: 'copy-json', dockerfile: 'FROM busybox\nCOPY ["a b", "/to here/"]', files: [{ path: 'a b', content: 's' }] },
  {
    name: 'copy-from-stage',
    dockerfile:
      'FROM busybox AS one\nRUN mkdir /s && echo k > /s/k && chown 3:4 /s/k /s\nFROM busybox\nCOPY --from=one /s /t\nCOPY --from=0 /s/k /k\nCOPY --from=busybox /etc/passwd /pw',
    files: tree,
  },
  { name: 'add-archive-none', dockerfile: 'FROM busybox\nADD a.txt /x/\nADD d /y', files: tree },
  {
    name: 'env',
    dockerfile:
      'FROM busybox\nENV A=1 B="two  x" C=\'$A\'\nENV D $A$B\nENV A=3 E=$A\nRUN env | sort | grep -v HOSTNAME > /env',
  },
  { name: 'env-forms', dockerfile: 'FROM busybox\nENV X=a\nENV B=${X:-y} C=${Z:-y} D=${X:+s} E=${Z:+s} F=\\$X' },
  {
    name: 'args',
    dockerfile:
      'ARG BASE=busybox\nFROM ${BASE}\nARG A=1\nARG B\nARG C\nRUN echo "$A-$B-$C-$BASE" > /x\nARG BASE\nENV BB=$BASE',
    query: { buildargs: '{"B":"two","C":null}' },
  },
  { name: 'args-unused', dockerfile: 'FROM busybox\nARG USED', query: { buildargs: '{"USED":"1","OTHER":"2"}' } },
  {
    name: 'args-env-wins',
    dockerfile: 'FROM busybox\nARG V=arg\nENV V=env\nRUN echo $V > /v',
    query: { buildargs: '{"V":"given"}' },
  },
  {
    name: 'labels',
    dockerfile: 'FROM busybox\nLABEL a=b "c d"=e\\ f\nLABEL g=h',
    query: { labels: '{"z":"1","y":"two words"}' },
  },
  {
    name: 'workdir',
    dockerfile: 'FROM busybox\nWORKDIR /a\nWORKDIR b/c\nENV D=/e\nWORKDIR $D/f\nRUN pwd > /pwd\nWORKDIR /foo/',
  },
  { name: 'cmd-entrypoint', dockerfile: 'FROM busybox\nCMD ["a"]\nENTRYPOINT ["e", "f"]' },
  { name: 'entrypoint-resets-cmd', dockerfile: 'FROM busybox\nENTRYPOINT e' },
  { name: 'expose-volume', dockerfile: 'FROM busybox\nEXPOSE 80 81/udp 90-91\nVOLUME ["/v"]\nVOLUME /w /x' },
  { name: 'healthcheck', dockerfile: 'FROM busybox\nHEALTHCHECK --interval=5s --timeout=3s --retries=2 CMD echo ok' },
  { name: 'stopsignal-maintainer', dockerfile: 'FROM busybox\nMAINTAINER me <m@e>\nSTOPSIGNAL SIGUSR1\nUSER 5' },
  {
    name: 'onbuild',
    dockerfile: 'FROM busybox AS base\nONBUILD RUN echo triggered > /t\nONBUILD ENV O=1\nFROM base\nRUN cat /t > /u',
  },
  { name: 'scratch', dockerfile: 'FROM scratch\nCOPY a /a\nCMD ["/a"]', files: tree },
  { name: 'scratch-no-layer', dockerfile: 'FROM scratch\nLABEL a=b' },
  {
    name: 'target',
    dockerfile: 'FROM busybox AS one\nRUN echo 1 > /one\nFROM one AS two\nRUN false',
    query: { target: 'one' },
  },
  { name: 'target-unknown', dockerfile: 'FROM busybox AS one', query: { target: 'nope' } },
  {
    name: 'ignore',
    dockerfile: 'FROM busybox\nCOPY . /c/',
    files: [...tree, { path: '.dockerignore', content: '# c\n*.txt\n!b.txt\nd/sub\nDockerfile\n' }],
  },
  {
    name: 'ignore-all-but',
    dockerfile: 'FROM busybox\nCOPY . /c/',
    files: [...tree, { path: '.dockerignore', content: '**\n!d/sub\n' }],
  },
  { name: 'continuations', dockerfile: 'FROM busybox\nRUN echo a \\\n  # comment\n\n  b > /x && \\\n    echo c >> /x' },
  { name: 'escape-directive', dockerfile: '# escape=`\nFROM busybox\nRUN echo a `\n b > /x\nENV W=c:\\d' },
  { name: 'lower-case', dockerfile: 'from busybox\nrun echo a > /x\nenv b=c' },
  { name: 'unknown-instruction', dockerfile: 'FROM busybox\nFOO bar' },
  { name: 'slip-of-the-pen', dockerfile: 'FROM busybox\nCPOY a /b' },
  { name: 'no-from', dockerfile: 'RUN echo' },
  { name: 'empty', dockerfile: ' \n' },
  { name: 'unknown-flag', dockerfile: 'FROM busybox\nCOPY --foo=bar a /b', files: tree },
  { name: 'env-no-value', dockerfile: 'FROM busybox\nENV x' },
  { name: 'bad-json', dockerfile: 'FROM busybox\nCMD ["a", 1]' },
  { name: 'copy-one-argument', dockerfile: 'FROM busybox\nCOPY a' },
  { name: 'from-too-many', dockerfile: 'FROM busybox as x y' },
  { name: 'bad-stage-name', dockerfile: 'FROM busybox AS 1x' },
  { name: 'workdir-missing', dockerfile: 'FROM busybox\nWORKDIR' },
  { name: 'network-none', dockerfile: 'FROM busybox\nRUN ip link | grep -c : > /n', query: { networkmode: 'none' } },
  {
    name: 'extra-hosts',
    dockerfile: 'FROM busybox\nRUN grep my.host /etc/hosts | tr "\\t" " " > /h',
    query: { extrahosts: 'my.host:1.2.3.4' },
  },
  {
    name: 'args-of-the-parent-stage',
    dockerfile:
      'ARG G=g\nFROM busybox AS one\nARG A=1\nARG G\nARG U\nRUN echo $A$G > /one\nFROM one AS two\nENV X=$A\nLABEL l=$G\nRUN echo "$A" > /two\nFROM two\nARG A\nARG G=other\nRUN echo "$A $G" > /three',
  },
  {
    name: 'args-after-env',
    dockerfile:
      'FROM busybox\nENV X=1 Y=1\nARG X=2\nARG Y=2\nARG E=\nARG N\nARG P=$X\nENV Y=3\nENV Z=$X$Y\nRUN echo $X $Y $P > /x',
  },
  {
    name: 'args-given-and-global',
    dockerfile: 'ARG G=g\nARG H=h\nFROM busybox\nARG G\nARG H=own\nARG A=a\nRUN echo $G $H $A > /x',
    query: { buildargs: '{"G":"G","A":"A"}' },
  },
  {
    name: 'from-a-stage-by-an-argument',
    isBuildkit: true,
    dockerfile:
      'ARG WHICH=one\nFROM busybox AS one\nRUN echo 1 > /x\nFROM busybox AS two\nRUN false\nFROM ${WHICH}\nRUN cat /x',
  },
  { name: 'from-blank', dockerfile: 'ARG B=\nFROM busybox AS one\nFROM $B' },
  { name: 'from-stage-in-capitals', dockerfile: 'FROM busybox AS Base\nRUN echo 1 > /x\nFROM Base\nRUN cat /x' },
  {
    name: 'copy-from-stage-in-capitals',
    dockerfile: 'FROM busybox AS Base\nRUN echo 1 > /x\nFROM busybox\nCOPY --from=BASE /x /x',
  },
  { name: 'platform-blank', isBuildkit: true, dockerfile: 'ARG PLAT=\nFROM --platform=$PLAT busybox\nRUN true' },
  { name: 'label-blank-by-a-variable', dockerfile: 'FROM busybox\nLABEL $x=z' },
  { name: 'env-blank', dockerfile: 'FROM busybox\nENV =y' },
  {
    name: 'expansions',
    dockerfile:
      'FROM busybox\nENV V=foo.bar.baz E=\nENV A=${V#*.} B=${V##*.} C=${V%.*} D=${V%%.*} F=${V/bar/x} G=${V//a/o} H=${E:-d} I=${E-d} J=${E:+s} K=${E+s} L=${N:-$V}',
  },
  { name: 'expansion-required', dockerfile: 'FROM busybox\nENV A=${N:?missing}' },
  {
    name: 'heredocs',
    isBuildkit: true,
    dockerfile:
      'FROM busybox\nARG W=me\nRUN <<EOF\necho a > /x\necho "$W" >> /x\nEOF\nCOPY <<one <<"two" /docs/\n$W\none\n$W\ntwo\nRUN <<EOF cat > /y\nhi\nEOF',
  },
  {
    name: 'run-mounts',
    isBuildkit: true,
    dockerfile:
      'FROM busybox AS one\nRUN mkdir /o && echo o > /o/f\nFROM busybox\nRUN --mount=type=bind,target=/in,source=d --mount=type=bind,from=one,source=/o,target=/one --mount=type=cache,target=/c --mount=type=tmpfs,target=/t cat /in/x /one/f > /got; touch /c/y /t/z; touch /in/no || echo ro >> /got\nRUN --mount=target=/in,rw touch /in/yes && ls /in > /listed',
    files: tree,
  },
  {
    name: 'copy-exclude-link',
    isBuildkit: true,
    dockerfile:
      'FROM busybox\nCOPY --exclude=*.txt --exclude=d/sub . /e/\nCOPY --link --chown=3:4 a /l/\nCOPY --chmod=640 --chown=5 a /k\nCOPY --chmod=u+x,g-r b.txt /m',
    files: tree,
  },
  {
    name: 'shadowed-working-directory',
    dockerfile: 'FROM busybox\nWORKDIR /w\nRUN rm -r /w\nRUN pwd > /p\nCOPY a .\nADD a.txt sub/',
    files: tree,
  },
  { name: 'onbuild-refused', dockerfile: 'FROM busybox\nONBUILD FROM x' },
  { name: 'copy-from-itself', isBuildkit: true, dockerfile: 'FROM busybox AS me\nCOPY --from=me /etc/passwd /x' },
  {
    name: 'copy-from-a-later-stage',
    isBuildkit: true,
    dockerfile: 'FROM busybox AS a\nCOPY --from=b /x /x\nFROM a AS b\nRUN echo 1 > /x',
  },
  { name: 'copy-from-no-stage', dockerfile: 'FROM busybox AS a\nCOPY --from=5 /x /x' },
  { name: 'healthcheck-none', dockerfile: 'FROM busybox\nHEALTHCHECK CMD true\nHEALTHCHECK NONE' },
  { name: 'healthcheck-bad-flag', dockerfile: 'FROM busybox\nHEALTHCHECK --every=5s CMD true' },
  { name: 'healthcheck-bad-interval', dockerfile: 'FROM busybox\nHEALTHCHECK --interval=5 CMD true' },
  { name: 'healthcheck-too-short', dockerfile: 'FROM busybox\nHEALTHCHECK --interval=5us CMD true' },
  { name: 'entrypoint-empty', dockerfile: 'FROM busybox\nENTRYPOINT ["a"]\nENTRYPOINT []\nCMD []' },
  {
    name: 'cmd-of-the-parent-stage',
    dockerfile: 'FROM busybox AS one\nCMD ["x"]\nFROM one\nENTRYPOINT ["e"]',
  },
  { name: 'stopsignal-bad', dockerfile: 'FROM busybox\nSTOPSIGNAL SIGNOPE' },
  { name: 'stopsignal-number', dockerfile: 'FROM busybox\nSTOPSIGNAL 9' },
  { name: 'expose-bad', dockerfile: 'FROM busybox\nEXPOSE 99999' },
  { name: 'expose-variable', dockerfile: 'FROM busybox\nENV P="80 81/udp"\nEXPOSE $P' },
  { name: 'volume-then-write', isBuildkit: true, dockerfile: 'FROM busybox\nVOLUME /v\nRUN echo a > /v/a; ls /v > /n' },
  { name: 'user-unknown', dockerfile: 'FROM busybox\nUSER nobody-here\nRUN id' },
  {
    name: 'user-and-home',
    dockerfile:
      'FROM busybox\nRUN echo "me:x:41:42::/my/home:/bin/sh" >> /etc/passwd; mkdir -m 777 /o\nUSER me\nRUN echo $HOME > /o/h; id > /o/i\nWORKDIR /w/x\nRUN ls -ldn /w /w/x | cut -c1-10 > /o/w',
  },
  {
    name: 'copy-dot-files',
    dockerfile: 'FROM busybox\nCOPY . /all/\nCOPY * /some/',
    files: [...tree, { path: '.hidden', content: 'h' }],
  },
  { name: 'copy-contents', dockerfile: 'FROM busybox\nCOPY d/. /x/\nCOPY d/sub/ /y', files: tree },
  { name: 'copy-no-match', dockerfile: 'FROM busybox\nCOPY *.nope /x/', files: tree },
  { name: 'copy-chown-unknown', dockerfile: 'FROM busybox\nCOPY --chown=nobody-here a /x', files: tree },
  {
    name: 'copy-chmod',
    isBuildkit: true,
    dockerfile: 'FROM busybox\nCOPY --chmod=4711 a /x\nCOPY --chmod=700 d /d',
    files: tree,
  },
  { name: 'copy-chmod-bad', isBuildkit: true, dockerfile: 'FROM busybox\nCOPY --chmod=9 a /x', files: tree },
  {
    name: 'copy-file-over-link',
    dockerfile: 'FROM busybox\nRUN echo o > /o; ln -s /o /l\nCOPY a /l\nRUN cat /o > /n',
    files: tree,
  },
  { name: 'copy-directory-over-file', dockerfile: 'FROM busybox\nRUN echo o > /o\nCOPY d /o', files: tree },
  { name: 'copy-from-missing-path', dockerfile: 'FROM busybox AS one\nFROM busybox\nCOPY --from=one /nope /x' },
  {
    name: 'copy-from-wildcard',
    dockerfile: 'FROM busybox AS one\nRUN mkdir /s; touch /s/a1 /s/a2 /s/b\nFROM busybox\nCOPY --from=one /s/a* /t/',
  },
  {
    name: 'copy-from-links',
    dockerfile:
      'FROM busybox AS one\nRUN mkdir /s; echo 1 > /s/f; ln -s f /s/l; ln -s /s /k; ln /s/f /s/h\nFROM busybox\nCOPY --from=one /s /t\nCOPY --from=one /k/f /u\nCOPY --from=one /s/l /v',
  },
  {
    name: 'copy-special-files',
    dockerfile:
      'FROM busybox AS one\nRUN mkdir /s; mkfifo /s/p; mknod /s/n c 1 3; chmod 4755 /s; touch -d "2001-01-01 00:00:00" /s/t\nFROM busybox\nCOPY --from=one /s /t\nRUN stat -c "%n %Y" /t/t > /o',
  },
  {
    name: 'copy-unicode',
    dockerfile: 'FROM busybox\nCOPY ["ä ö/ü", "/x/é"]',
    files: [
      { path: 'ä ö', isDirectory: true },
      { path: 'ä ö/ü', content: 'u' },
    ],
  },
  {
    name: 'onbuild-several',
    dockerfile:
      'FROM busybox AS one\nONBUILD ARG A=1\nONBUILD RUN echo $A > /a\nONBUILD COPY a /copied\nONBUILD WORKDIR /ob\nFROM one AS two\nRUN pwd > /p\nFROM two',
    files: tree,
  },
  { name: 'onbuild-onbuild', dockerfile: 'FROM busybox\nONBUILD ONBUILD RUN x' },
  {
    name: 'label-forms',
    dockerfile: 'FROM busybox\nLABEL a="1 2" b=3 \\\n  "c.d"=\'x $y\'\nLABEL e f g\nLABEL multi="line one\\\nline two"',
  },
  {
    name: 'env-old-form',
    dockerfile: 'FROM busybox\nENV A  several   words  here\nENV B "quoted  words" x\nENV C=a\\ b D=\'s\'"d"',
  },
  {
    name: 'shell-then-forms',
    dockerfile: 'FROM busybox\nSHELL ["/bin/sh", "-x", "-c"]\nRUN true\nENTRYPOINT e $X\nHEALTHCHECK CMD h\nCMD ["j"]',
  },
  { name: 'shell-string', dockerfile: 'FROM busybox\nSHELL /bin/sh -c' },
  {
    name: 'run-json-looking',
    dockerfile: 'FROM busybox\nRUN [ "a" = "a" ] && echo t > /t\nRUN ["sh", "-c", "echo \\"q\\" > /q"]',
  },
  { name: 'run-empty', dockerfile: 'FROM busybox\nRUN' },
  { name: 'run-security-insecure', isBuildkit: true, dockerfile: 'FROM busybox\nRUN --security=insecure true' },
  { name: 'run-network-unknown', isBuildkit: true, dockerfile: 'FROM busybox\nRUN --network=mine true' },
  { name: 'run-mount-no-target', isBuildkit: true, dockerfile: 'FROM busybox\nRUN --mount=type=cache true' },
  { name: 'run-mount-bad-type', isBuildkit: true, dockerfile: 'FROM busybox\nRUN --mount=type=disk,target=/x true' },
  {
    name: 'run-mount-bad-key',
    isBuildkit: true,
    dockerfile: 'FROM busybox\nRUN --mount=type=bind,target=/x,colour=red true',
  },
  {
    name: 'run-mount-secret-required',
    isBuildkit: true,
    dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=s,required=true true',
  },
  {
    name: 'run-mount-secret-absent',
    isBuildkit: true,
    dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=s test ! -e /run/secrets/s; ls -A /run > /n',
  },
  {
    name: 'run-mount-variable',
    isBuildkit: true,
    dockerfile:
      'FROM busybox\nARG D=/data\nRUN --mount=type=tmpfs,target=$D,size=1m df -k $D | tail -1 | tr -s " " | cut -d" " -f2 > /size',
  },
  {
    name: 'run-mount-leaves-points',
    isBuildkit: true,
    dockerfile:
      'FROM busybox\nRUN --mount=type=tmpfs,target=/a/b/c --mount=type=cache,target=/d,uid=5,mode=0700 stat -c "%u %a" /d > /n',
  },
  {
    name: 'run-heredoc-shebang',
    isBuildkit: true,
    dockerfile: 'FROM busybox\nRUN <<EOF\n#!/bin/sh -e\necho one > /x\nfalse\necho two >> /x\nEOF',
  },
  {
    name: 'run-heredoc-several',
    isBuildkit: true,
    dockerfile: 'FROM busybox\nRUN cat <<A > /a && cat <<-"B" > /b\none $HOME\nA\n\ttwo $HOME\n\tB',
  },
  {
    name: 'copy-heredoc-flags',
    isBuildkit: true,
    dockerfile:
      'FROM busybox\nARG X=y\nCOPY --chmod=755 --chown=3:4 <<-EOF /bin/run\n\t#!/bin/sh\n\techo $X \\$X\n\tEOF\nADD <<"raw" /r\n$X\nraw',
  },
  { name: 'workdir-of-a-file', dockerfile: 'FROM busybox\nRUN echo > /f\nWORKDIR /f' },
  {
    name: 'workdir-through-a-link',
    dockerfile: 'FROM busybox\nRUN mkdir /real; ln -s /real /ln\nWORKDIR /ln/sub\nRUN pwd > /p',
  },
  {
    name: 'whiteouts',
    dockerfile: 'FROM busybox\nRUN mkdir /d && touch /d/a /d/b\nRUN rm -r /d && mkdir /d && touch /d/c\nRUN rm /d/c',
  },
  {
    name: 'hard-links-over-layers',
    dockerfile: 'FROM busybox\nRUN echo 1 > /a && ln /a /b\nRUN echo 2 >> /a\nRUN cat /a /b > /n',
  },
  {
    name: 'ignore-negated-directory',
    dockerfile: 'FROM busybox\nCOPY . /c/',
    files: [...tree, { path: '.dockerignore', content: '*\n!d\nd/link\n**/y\n' }],
  },
  {
    name: 'ignore-dockerfile-itself',
    dockerfile: 'FROM busybox\nCOPY Dockerfile /x',
    files: [{ path: '.dockerignore', content: 'Dockerfile\n' }],
  },
  {
    name: 'several-targets-one-name',
    dockerfile: 'FROM busybox AS a\nRUN echo 1 > /x\nFROM busybox AS a\nRUN echo 2 > /x',
    query: { target: 'a' },
  },
  {
    name: 'target-number',
    dockerfile: 'FROM busybox\nRUN echo 0 > /x\nFROM busybox\nRUN false',
    query: { target: '0' },
  },
  {
    name: 'args-of-the-platform',
    isBuildkit: true,
    dockerfile:
      'FROM --platform=$BUILDPLATFORM busybox\nARG TARGETOS\nARG TARGETPLATFORM\nRUN echo "$TARGETOS $BUILDOS" > /x',
  },
  {
    name: 'arg-quoted',
    dockerfile: 'FROM busybox\nARG A="a b" B=\'c\' C\nRUN echo "$A$B$C" > /x\nARG D=$A$B\nLABEL d=$D',
  },
  {
    name: 'comment-and-directives',
    dockerfile:
      '# escape=\\\n# check=skip=all\n# comment\nFROM busybox\n# in between\nRUN echo a \\\n# dropped\n  b > /x',
  },
  { name: 'crlf', dockerfile: 'FROM busybox\r\nRUN echo a > /x\r\nENV B=c\r\n' },
  { name: 'byte-order-mark', dockerfile: '\ufeffFROM busybox\nENV A=1' },
  { name: 'maintainer-then-label', dockerfile: 'FROM busybox\nMAINTAINER a b\nLABEL x=y' },
  { name: 'add-archive', dockerfile: 'FROM busybox\nADD t.tgz /x/\nADD u.tgz /y', files: packed },
  {
    name: 'add-archive-over-tree',
    dockerfile:
      'FROM busybox\nRUN mkdir -p /x/sub && echo old > /x/sub/old && echo old > /x/f && chmod 700 /x\nADD t.tgz /x',
    files: packed,
  },
  { name: 'add-archive-chown', dockerfile: 'FROM busybox\nADD --chown=7:8 t.tgz /x/', files: packed },
  { name: 'add-archive-of-text', dockerfile: 'FROM busybox\nADD text.tar /x/', files: packed },
  { name: 'add-archive-with-others', dockerfile: 'FROM busybox\nADD t.tgz text.tar /x/', files: packed },
  {
    name: 'add-archive-by-wildcard',
    dockerfile: 'FROM busybox\nADD *.tgz /x/\nCOPY t.* /c/',
    files: packed,
  },
  {
    name: 'add-archive-onto-a-file',
    isBuildkit: true,
    dockerfile: 'FROM busybox\nRUN echo > /f\nADD t.tgz /f',
    files: packed,
  },
  { name: 'copy-archive', dockerfile: 'FROM busybox\nCOPY t.tgz /x/', files: packed },
  {
    name: 'copy-from-an-image',
    dockerfile: 'FROM busybox\nCOPY --from=busybox /etc/gr?up /g\nCOPY --from=busybox:latest /var/www /w',
  },
  {
    name: 'copy-chown-expanded',
    dockerfile: 'FROM busybox\nARG U=3\nENV G=4 D=/t\nCOPY --chown=$U:$G a ${D}/\nADD --chown=${U} a.txt $D',
    files: tree,
  },
  {
    name: 'copy-onto-the-root',
    isBuildkit: true,
    dockerfile: 'FROM busybox\nCOPY d /\nCOPY a /\nCOPY a.txt b.txt ./',
    files: tree,
  },
  {
    name: 'copy-into-a-linked-directory',
    dockerfile:
      'FROM busybox\nRUN mkdir /real /real/d; ln -s real /ln; ln -s nowhere /dead\nCOPY a /ln/\nCOPY d /ln/d\nCOPY a /ln/new/deep\nCOPY a /dead',
    files: tree,
  },
  {
    name: 'copy-same-file-often',
    dockerfile:
      'FROM busybox\nCOPY d /one\nCOPY d /two\nCOPY d d /three/\nCOPY . /four\nRUN echo more >> /one/x; cat /two/x /four/d/x > /n',
    files: tree,
  },
  {
    name: 'copy-exclude-nothing-left',
    isBuildkit: true,
    dockerfile: 'FROM busybox\nCOPY --exclude=* d /x',
    files: tree,
  },
  {
    name: 'copy-link-over-link',
    isBuildkit: true,
    dockerfile: 'FROM busybox\nRUN mkdir /real; ln -s real /ln\nCOPY --link a /ln/',
    files: tree,
  },
  { name: 'run-user-by-number', dockerfile: 'FROM busybox\nUSER 12:13\nRUN id > /tmp/i; echo $HOME > /tmp/h' },
  { name: 'run-output-and-exit', dockerfile: 'FROM busybox\nRUN echo out; echo err >&2; exit 42' },
  { name: 'run-killed', dockerfile: 'FROM busybox\nRUN kill -9 $$' },
  {
    name: 'stage-names',
    dockerfile: 'FROM busybox AS a.b-c_d\nRUN echo 1 > /x\nFROM a.b-c_d\nCOPY --from=a.b-c_d /x /y',
  },
  { name: 'from-platform-and-name', dockerfile: 'FROM --platform=linux/amd64 busybox AS one\nFROM one' },
  {
    name: 'from-scratch-as-stage',
    dockerfile: 'FROM scratch AS none\nCOPY a /\nFROM busybox\nCOPY --from=none / /x',
    files: tree,
  },
  { name: 'from-scratch-and-run', dockerfile: 'FROM scratch\nRUN true' },
  {
    name: 'from-digest',
    dockerfile: 'FROM busybox@sha256:0000000000000000000000000000000000000000000000000000000000000000x',
  },
  { name: 'long-lines', dockerfile: `FROM busybox\nENV A=${'x'.repeat(5000)}\nLABEL b=${'y '.repeat(10)}z` },
  {
    name: 'many-layers',
    dockerfile: `FROM busybox\n${Array.from({ length: 12 }, (_, i) => `RUN echo ${i} >> /n`).join('\n')}`,
  },
]
