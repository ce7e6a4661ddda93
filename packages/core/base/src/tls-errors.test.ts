import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateProblem, tlsAlert } from './tls-errors.ts'

test('tlsAlert() names the alert that ended a connection', () => {
  const text = '40F0:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:SSL alert number 116'
  assert.equal(tlsAlert(new Error(text)), 'remote error: tls: certificate required')
  assert.equal(tlsAlert(new Error('SSL alert number 7')), 'remote error: tls: alert(7)')
  const boring = (name: string) => tlsAlert(new Error(`error:1000045c:SSL routines:OPENSSL_internal:${name}`))
  assert.equal(boring('TLSV1_ALERT_CERTIFICATE_REQUIRED'), 'remote error: tls: certificate required')
  assert.equal(boring('TLSV1_ALERT_UNKNOWN_CA'), 'remote error: tls: unknown certificate authority')
  assert.equal(tlsAlert(new Error('read ECONNRESET')), undefined)
})

test('certificateProblem() speaks of certificates as Go does', () => {
  const failed = (code: string) => certificateProblem(Object.assign(new Error('x'), { code }), 'h')
  const prefix = 'tls: failed to verify certificate: x509: '
  assert.equal(failed('SELF_SIGNED_CERT_IN_CHAIN'), `${prefix}certificate signed by unknown authority`)
  assert.equal(failed('ERR_TLS_CERT_ALTNAME_INVALID'), `${prefix}certificate is not valid for h`)
  assert.equal(failed('ECONNREFUSED'), undefined)
})
