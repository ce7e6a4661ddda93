import type { SecretSpec, SshSpec } from '../build-request.ts'
import { parseFields } from './fields.ts'

/** `--secret`: `id=NAME[,src=FILE|,env=VARIABLE]`. */
export function parseSecret(text: string): SecretSpec {
  let [id, file, env, type] = ['', '', '', '']
  for (const { key, value } of parseFields(text, (field) => `invalid field '${field}' must be a key=value pair`)) {
    switch (key) {
      case 'type':
        if (value !== 'file' && value !== 'env') throw new Error(`unsupported secret type ${JSON.stringify(value)}`)
        type = value
        break
      case 'id':
        id = value
        break
      case 'source':
      case 'src':
        file = value
        break
      case 'env':
        env = value
        break
      default:
        throw new Error(`unexpected key '${key}' in '${key}=${value}'`)
    }
  }
  return type === 'env' && env === '' ? { id, file: '', env: file } : { id, file, env }
}

/** `--ssh`: `default`, or `ID=SOCKET`, or `ID=KEY,KEY`. */
export function parseSsh(text: string): SshSpec {
  const equals = text.indexOf('=')
  if (equals < 0) return { id: text, paths: [] }
  return { id: text.slice(0, equals), paths: text.slice(equals + 1).split(',') }
}
