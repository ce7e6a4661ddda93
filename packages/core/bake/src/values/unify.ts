import { canConvert } from './convert.ts'
import { sameType, type Type, type TypeOf } from './types.ts'

/** What is preferred when several types could hold all values comes first. */
const preference: readonly Type['kind'][] = [
  'list',
  'set',
  'map',
  'tuple',
  'object',
  'string',
  'number',
  'bool',
  'dynamic',
]

/** One type that values of all these types can be converted to, if there is one. */
export function unifyTypes(types: readonly Type[]): Type | undefined {
  const [first] = types
  if (first === undefined) return undefined
  if (types.every((type) => sameType(type, first))) return first
  const concrete = types.filter(({ kind }) => kind !== 'dynamic')
  if (concrete.every((type): type is TypeOf<'object'> => type.kind === 'object')) return unifyObjects(concrete)
  if (concrete.every((type): type is TypeOf<'tuple'> => type.kind === 'tuple')) return unifyTuples(concrete)
  const has = (kind: Type['kind']): boolean => types.some((type) => type.kind === kind)
  if (has('object') && has('tuple')) return undefined
  return types
    .toSorted((a, b) => preference.indexOf(a.kind) - preference.indexOf(b.kind))
    .find((wanted) => types.every((type) => canConvert(type, wanted)))
}

function unifyObjects(types: readonly TypeOf<'object'>[]): Type | undefined {
  const names = [...types[0]!.attributes.keys()]
  const isAlike = types.every(
    ({ attributes }) => attributes.size === names.length && names.every((name) => attributes.has(name)),
  )
  if (!isAlike) {
    const element = unifyTypes(types.flatMap(({ attributes }) => [...attributes.values()]))
    return element && { kind: 'map', element }
  }
  const attributes = new Map<string, Type>()
  for (const name of names) {
    const type = unifyTypes(types.map((one) => one.attributes.get(name)!))
    if (type === undefined) return undefined
    attributes.set(name, type)
  }
  return { kind: 'object', attributes }
}

function unifyTuples(types: readonly TypeOf<'tuple'>[]): Type | undefined {
  const [first] = types
  if (types.some(({ elements }) => elements.length !== first!.elements.length)) {
    const element = unifyTypes(types.flatMap(({ elements }) => elements))
    return element && { kind: 'list', element }
  }
  const elements = first!.elements.map((_, index) => unifyTypes(types.map((one) => one.elements[index]!)))
  return elements.every((one) => one !== undefined) ? { kind: 'tuple', elements } : undefined
}
