import { constants, createHash, createPrivateKey, privateDecrypt } from 'node:crypto'
import { string } from '../values/types.ts'
import { listValue, objectValue, stringValue, textOf, type Value } from '../values/value.ts'
import { CallFailure, define, type FunctionSpec, parameter } from './function.ts'

const onText = (compute: (text: string) => string): FunctionSpec =>
  define([parameter('str', string)], ([text]) => stringValue(compute(textOf(text!))))

const hashed = (algorithm: string): FunctionSpec => onText((text) => createHash(algorithm).update(text).digest('hex'))

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function decodeBase64(text: string): string {
  if (!base64.test(text)) throw new CallFailure(`failed to decode base64 data '${text}'`)
  const bytes = Buffer.from(text, 'base64')
  const decoded = bytes.toString('utf8')
  if (!Buffer.from(decoded).equals(bytes)) {
    throw new CallFailure('the result of decoding the provided string is not valid UTF-8')
  }
  return decoded
}

/** Go's url.QueryEscape. */
const encodeQuery = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')

const csvdecode = define([parameter('str', string)], ([text]) => {
  const rows = parseCsv(textOf(text!))
  const [header, ...records] = rows
  if (header === undefined) throw new CallFailure('missing header line')
  const values = records.map((record, index): Value => {
    if (record.length !== header.length) {
      throw new CallFailure(`CSV parse error on line ${index + 2}: wrong number of fields`)
    }
    return objectValue(header.map((name, index) => [name, stringValue(record[index]!)]))
  })
  const type = objectValue(header.map((name) => [name, stringValue('')])).type
  return listValue(type, values)
})

/** Records of RFC 4180; empty lines are none. */
export function parseCsv(text: string): string[][] {
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y
  const rows: string[][] = []
  let row: string[] = []
  while (field.lastIndex < text.length || row.length > 0) {
    const match = field.exec(text)
    if (match === null) throw new CallFailure('invalid CSV')
    const [, value, end] = match as unknown as [string, string, string]
    row.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value)
    if (end === ',') continue
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
    if (end === '') break
  }
  return rows
}

const rsadecrypt = define([parameter('ciphertext', string), parameter('privatekey', string)], ([text, key]) => {
  try {
    const privateKey = createPrivateKey(textOf(key!))
    const options = { key: privateKey, padding: constants.RSA_PKCS1_PADDING }
    return stringValue(privateDecrypt(options, Buffer.from(textOf(text!), 'base64')).toString('utf8'))
  } catch {
    throw new CallFailure('failed to decrypt')
  }
})

const refusesBcrypt: FunctionSpec = {
  parameters: [parameter('str', string)],
  variadic: parameter('cost', string),
  call() {
    throw new CallFailure('bcrypt is not supported here')
  },
}

export const encodingFunctions: Readonly<Record<string, FunctionSpec>> = {
  base64encode: onText((text) => Buffer.from(text).toString('base64')),
  base64decode: onText(decodeBase64),
  urlencode: onText(encodeQuery),
  md5: hashed('md5'),
  sha1: hashed('sha1'),
  sha256: hashed('sha256'),
  sha512: hashed('sha512'),
  csvdecode,
  rsadecrypt,
  bcrypt: refusesBcrypt,
}
