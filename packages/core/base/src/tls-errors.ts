import { codeOf, messageOf } from './errors.ts'

/** `remote error: tls: ...` where the other side ended a TLS connection by an alert; undefined for other failures. */
export function tlsAlert(error: unknown): string | undefined {
  const reason = alertByNumber(messageOf(error)) ?? alertByName(messageOf(error))
  return reason === undefined ? undefined : `remote error: tls: ${reason}`
}

/** OpenSSL puts the number at the end of its message. */
function alertByNumber(message: string): string | undefined {
  const [, number] = /SSL alert number (\d+)/.exec(message) ?? []
  return number === undefined ? undefined : (alerts[Number(number)] ?? `alert(${number})`)
}

/** BoringSSL, which Bun has, knows names only: `TLSV1_ALERT_CERTIFICATE_REQUIRED`. */
function alertByName(message: string): string | undefined {
  const name = /\b(?:TLSV1|SSLV3)_ALERT_([A-Z_]+)/.exec(message)?.[1]?.toLowerCase().replaceAll('_', ' ')
  return name === 'unknown ca' ? alerts[48] : name
}

/** What is wrong with the certificate that `host` shows, in Go's words; undefined for other failures. */
export function certificateProblem(error: unknown, host: string): string | undefined {
  return certificateReasons[codeOf(error) ?? '']?.(host)
}

/** What the other end says before it hangs up (RFC 8446, section 6), as Go's crypto/tls words it. */
const alerts: Readonly<Record<number, string>> = {
  40: 'handshake failure',
  42: 'bad certificate',
  44: 'revoked certificate',
  45: 'expired certificate',
  46: 'unknown certificate',
  48: 'unknown certificate authority',
  49: 'access denied',
  70: 'protocol version not supported',
  112: 'unrecognized name',
  116: 'certificate required',
}

const failedTo = 'tls: failed to verify certificate: x509: '
const unknownAuthority = (): string => `${failedTo}certificate signed by unknown authority`
/** By Node's codes, which are OpenSSL's X509_V_ERR_*. */
const certificateReasons: Readonly<Record<string, (host: string) => string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  CERT_HAS_EXPIRED: () => `${failedTo}certificate has expired or is not yet valid`,
  CERT_NOT_YET_VALID: () => `${failedTo}certificate has expired or is not yet valid`,
  ERR_TLS_CERT_ALTNAME_INVALID: (host) => `${failedTo}certificate is not valid for ${host}`,
}
