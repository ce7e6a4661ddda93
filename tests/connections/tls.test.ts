import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Cli, command, type CommandResult, useEngine } from '@berth/testing'
import { Certificates } from './certificates.ts'

/** berthd on TCP with TLS, of which a client has to show a certificate, and both command lines as its clients. */
const certificates = new Certificates()
after(() => certificates[Symbol.dispose]())
certificates.usual()
certificates.authority('other')
certificates.certificate('stranger', 'other', 'extendedKeyUsage=clientAuth\n')
const good = certificates.folder('good', 'ca', 'client')
const strange = certificates.folder('strange', 'ca', 'stranger')
const distrusting = certificates.folder('distrusting', 'other', 'client')

const port = 2376
const host = `tcp://127.0.0.1:${port}`
const engine = useEngine({ args: ['-H', host, ...certificates.daemonFlags()] })

for (const program of ['docker', 'berth'] as const) {
  const cli = new Cli(program, engine)

  /** Runs it beside the daemon; nothing but `env` and the arguments say where that is. */
  const run = (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    input = '',
  ): Promise<CommandResult> => {
    const inside = engine.daemon!.sandbox.enter([cli.file, ...args])
    const config = join(engine.folder, program)
    const none = { DOCKER_HOST: '', BERTH_HOST: '', DOCKER_CONFIG: config, BERTH_CONFIG: config }
    return command(inside.file, inside.args, { env: { ...none, ...env }, input })
  }
  const verified = (path: string): Record<string, string> => {
    return { DOCKER_HOST: host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: path }
  }

  describe(program, () => {
    test('DOCKER_TLS_VERIFY and DOCKER_CERT_PATH: requests, hijacked streams and uploads', async () => {
      const echoed = await run(['run', '-i', '--rm', 'busybox', 'cat'], verified(good), 'through tls')
      assert.deepEqual(echoed, { code: 0, stdout: 'through tls', stderr: '' })
      const failed = await run(['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 3'], verified(good))
      assert.deepEqual(failed, { code: 3, stdout: 'out\n', stderr: 'err\n' })
    })

    test('--tlsverify with files, and --tls that trusts anybody', async () => {
      const files = ['--tlscert', join(good, 'cert.pem'), '--tlskey', join(good, 'key.pem')]
      const format = ['version', '-f', '{{.Server.Os}}']
      const strict = await run(['-H', host, '--tlsverify', '--tlscacert', join(good, 'ca.pem'), ...files, ...format])
      assert.deepEqual([strict.code, strict.stdout], [0, 'linux\n'], strict.stderr)
      const lax = await run(['-H', host, '--tls', '--tlscacert', join(distrusting, 'ca.pem'), ...files, ...format])
      assert.deepEqual([lax.code, lax.stdout], [0, 'linux\n'], lax.stderr)
    })

    test('a context with TLS material, one that skips the verification, and one that is told of another authority', async () => {
      const material = (path: string): string => `cert=${join(path, 'cert.pem')},key=${join(path, 'key.pem')}`
      const contexts = {
        strict: `host=${host},ca=${join(good, 'ca.pem')},${material(good)}`,
        lax: `host=${host},skip-tls-verify=true,${material(good)}`,
        wrong: `host=${host},ca=${join(distrusting, 'ca.pem')},${material(good)}`,
      }
      const codes: Record<string, number> = {}
      for (const [name, endpoint] of Object.entries(contexts)) {
        assert.equal((await run(['context', 'create', name, '--docker', endpoint])).code, 0)
        codes[name] = (await run(['--context', name, 'ps', '-q'])).code
      }
      assert.deepEqual(codes, { strict: 0, lax: 0, wrong: 1 })
      await run(['context', 'use', 'strict'])
      assert.equal((await run(['run', '--rm', 'busybox', 'echo', 'by context'])).stdout, 'by context\n')
      const exported = await run(['context', 'export', 'strict', '-'])
      assert.equal(exported.code, 0)
      await run(['context', 'use', 'default'])
    })

    test('without a certificate, with a stranger’s, or of an engine that is not trusted: refused in words', async () => {
      const failures = {
        none: await run(['-H', host, '--tlsverify', '--tlscacert', join(good, 'ca.pem'), 'ps']),
        strange: await run(['ps'], verified(strange)),
        distrusting: await run(['ps'], verified(distrusting)),
        plain: await run(['-H', host, 'ps']),
      }
      for (const [name, { code, stdout, stderr }] of Object.entries(failures)) {
        assert.deepEqual([code, stdout], [1, ''], `${name}: ${stderr}`)
        assert.ok(!/\n\s+at /.test(stderr) && stderr.split('\n').length < 6, stderr)
      }
      assert.match(failures.none.stderr, /certificate/)
      assert.match(failures.strange.stderr, /certificate|unknown ca/i)
      assert.match(failures.distrusting.stderr, /certificate signed by unknown authority/)
    })
  })
}
