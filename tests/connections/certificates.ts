import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** Authorities, and certificates that they have signed, as PEM files of one folder that goes with the object. */
export class Certificates implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'berth-tls-'))

  /** The path of a file: NAME.pem, NAME-key.pem. */
  at(name: string): string {
    return join(this.#folder, name)
  }

  authority(name: string): void {
    const subject = ['-subj', `/CN=${name}`, '-addext', 'keyUsage=critical,keyCertSign', '-days', '2']
    this.#openssl('req', '-x509', ...newKey, ...subject, '-keyout', `${name}-key.pem`, '-out', `${name}.pem`)
  }

  certificate(name: string, authority: string, extensions: string): void {
    const request = ['-in', `${name}.csr`, '-out', `${name}.pem`]
    this.#openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`)
    writeFileSync(this.at(`${name}.ext`), extensions)
    const signer = ['-CA', `${authority}.pem`, '-CAkey', `${authority}-key.pem`, '-CAcreateserial']
    this.#openssl('x509', '-req', ...request, ...signer, '-days', '2', '-extfile', `${name}.ext`)
  }

  /** What a server of 127.0.0.1 has, and its client, both by the authority `ca`. */
  usual(): void {
    this.authority('ca')
    this.certificate('server', 'ca', 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n')
    this.certificate('client', 'ca', 'extendedKeyUsage=clientAuth\n')
  }

  /** The daemon's flags with which it wants to see a certificate by `ca`. */
  daemonFlags(): string[] {
    const files = ['--tlscacert', this.at('ca.pem'), '--tlscert', this.at('server.pem')]
    return ['--tlsverify', ...files, '--tlskey', this.at('server-key.pem')]
  }

  /** A folder as DOCKER_CERT_PATH has it. */
  folder(name: string, authority: string, client: string): string {
    mkdirSync(this.at(name))
    const files = { ca: `${authority}.pem`, cert: `${client}.pem`, key: `${client}-key.pem` }
    for (const [file, source] of Object.entries(files))
      execFileSync('cp', [this.at(source), join(this.at(name), `${file}.pem`)])
    return this.at(name)
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' })
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true })
  }
}
