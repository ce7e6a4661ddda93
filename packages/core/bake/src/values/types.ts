/** The types of HCL's values. `dynamic` is the type of what is not known, and as a constraint it means any type. */
export type Type =
  | { readonly kind: 'string' | 'number' | 'bool' | 'dynamic' }
  | { readonly kind: 'list' | 'set' | 'map'; readonly element: Type }
  | { readonly kind: 'tuple'; readonly elements: readonly Type[] }
  | {
      readonly kind: 'object'
      readonly attributes: ReadonlyMap<string, Type>
      /** Of a constraint: attributes that may be missing. */
      readonly optional?: ReadonlySet<string>
    }

export type TypeOf<Kind extends Type['kind']> = Extract<Type, { readonly kind: Kind }>

export const string: Type = { kind: 'string' }
export const number: Type = { kind: 'number' }
export const bool: Type = { kind: 'bool' }
export const dynamic: Type = { kind: 'dynamic' }
export const list = (element: Type): Type => ({ kind: 'list', element })
export const set = (element: Type): Type => ({ kind: 'set', element })
export const map = (element: Type): Type => ({ kind: 'map', element })
export const tuple = (elements: readonly Type[]): Type => ({ kind: 'tuple', elements })

export const isPrimitive = ({ kind }: Type): boolean => kind === 'string' || kind === 'number' || kind === 'bool'
export const isSequence = ({ kind }: Type): boolean => kind === 'list' || kind === 'set' || kind === 'tuple'
export const isCollection = (type: Type): type is TypeOf<'list' | 'set' | 'map'> =>
  type.kind === 'list' || type.kind === 'set' || type.kind === 'map'

export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true
  if (a.kind !== b.kind) return false
  if (isCollection(a)) return sameType(a.element, (b as typeof a).element)
  if (a.kind === 'tuple') {
    const { elements } = b as typeof a
    return a.elements.length === elements.length && a.elements.every((one, index) => sameType(one, elements[index]!))
  }
  if (a.kind !== 'object') return true
  const { attributes } = b as typeof a
  return (
    a.attributes.size === attributes.size &&
    [...a.attributes].every(([name, type]) => attributes.has(name) && sameType(type, attributes.get(name)!))
  )
}

/** The name in messages: "list of string", "object". */
export function typeName(type: Type): string {
  return isCollection(type) ? `${type.kind} of ${typeName(type.element)}` : type.kind
}

/** The name of what is asked for: "list of any single type". */
export function constraintName(type: Type): string {
  if (type.kind === 'dynamic') return 'any type'
  if (!isCollection(type)) return type.kind
  const element = type.element.kind === 'dynamic' ? 'any single type' : constraintName(type.element)
  return `${type.kind} of ${element}`
}
