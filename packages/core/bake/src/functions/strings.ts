import { list, number, string } from '../values/types.ts'
import { integerValue, itemsOf, listValue, stringValue, textOf } from '../values/value.ts'
import { ArgumentFailure, CallFailure, define, type FunctionSpec, parameter } from './function.ts'
import { wholeNumber } from './whole-number.ts'

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment)

/** A function from text to text. */
const onText = (compute: (text: string) => string, name = 'str'): FunctionSpec =>
  define([parameter(name, string)], ([text]) => stringValue(compute(textOf(text!))))

const onTexts = (names: readonly string[], compute: (...texts: string[]) => string): FunctionSpec =>
  define(
    names.map((name) => parameter(name, string)),
    (args) => stringValue(compute(...args.map(textOf))),
  )

const substr = define(
  [parameter('str', string), parameter('offset', number), parameter('length', number)],
  ([text, offset, length]) => {
    const parts = graphemes(textOf(text!))
    const given = wholeNumber(offset!)
    const count = wholeNumber(length!)
    const start = given < 0 ? parts.length + given : given
    if (start < 0) return stringValue(count < 0 ? textOf(text!) : parts.slice(0, Math.max(count, 0)).join(''))
    return stringValue(parts.slice(start, count < 0 ? undefined : start + count).join(''))
  },
)

const join: FunctionSpec = {
  parameters: [parameter('separator', string)],
  variadic: parameter('lists', list(string)),
  call([separator, ...lists]) {
    if (lists.length === 0) throw new CallFailure('at least one list is required')
    const texts = lists.flatMap((one, index) =>
      itemsOf(one).map((item, at) => {
        if (item.data !== null) return textOf(item)
        throw new ArgumentFailure(index + 1, `element ${at} is null; cannot concatenate null values`)
      }),
    )
    return stringValue(texts.join(textOf(separator!)))
  },
}

const sort = define([parameter('list', list(string))], ([items]) => {
  const texts = itemsOf(items!).map((item, at) => {
    if (item.data === null) throw new CallFailure(`given list element ${at} is null; a null string cannot be sorted`)
    return textOf(item)
  })
  return listValue(string, texts.toSorted().map(stringValue))
})

const split = define([parameter('separator', string), parameter('str', string)], ([separator, text]) => {
  const by = textOf(separator!)
  const parts = by === '' ? Array.from(textOf(text!)) : textOf(text!).split(by)
  return listValue(string, parts.map(stringValue))
})

const indent = define([parameter('spaces', number), parameter('str', string)], ([spaces, text]) => {
  const count = wholeNumber(spaces!)
  if (count < 0 || count > 10_000) throw new ArgumentFailure(0, 'must be between 0 and 10000')
  return stringValue(textOf(text!).replaceAll('\n', `\n${' '.repeat(count)}`))
})

/** Takes the characters of a set from both ends. */
function trim(text: string, cutset: string): string {
  const cut = new Set(cutset)
  const characters = Array.from(text)
  const from = characters.findIndex((one) => !cut.has(one))
  const to = characters.findLastIndex((one) => !cut.has(one))
  return from === -1 ? '' : characters.slice(from, to + 1).join('')
}

/** Go maps each character to one other: what has no such capital stays. */
function upperOne(character: string): string {
  const upper = character.toUpperCase()
  return Array.from(upper).length === 1 ? upper : character
}

/** Go's path.Base. */
export function baseName(path: string): string {
  if (path === '') return '.'
  const stripped = path.replace(/\/+$/, '')
  return stripped === '' ? '/' : stripped.slice(stripped.lastIndexOf('/') + 1)
}

/** Go's path.Clean. */
export function cleanPath(path: string): string {
  const isAbsolute = path.startsWith('/')
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') kept.push(part)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!isAbsolute) kept.push('..')
  }
  return (isAbsolute ? '/' : '') + kept.join('/') || '.'
}

export const stringFunctions: Readonly<Record<string, FunctionSpec>> = {
  upper: onText((text) => Array.from(text, upperOne).join('')),
  lower: onText((text) => text.toLowerCase()),
  title: onText((text) => text.replaceAll(/(?<![\p{L}\p{N}_])\p{L}/gu, (first) => first.toUpperCase())),
  reverse: onText((text) => graphemes(text).toReversed().join('')),
  chomp: onText((text) => text.replace(/[\r\n]+$/, '')),
  trimspace: onText((text) => text.trim()),
  trim: onTexts(['str', 'cutset'], trim),
  trimprefix: onTexts(['str', 'prefix'], (text, prefix) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  trimsuffix: onTexts(['str', 'suffix'], (text, suffix) =>
    suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text,
  ),
  replace: onTexts(['str', 'substr', 'replace'], (text, from, to) =>
    from === '' ? to + Array.from(text, (one) => one + to).join('') : text.split(from).join(to),
  ),
  strlen: define([parameter('str', string)], ([text]) => integerValue(graphemes(textOf(text!)).length)),
  substr,
  join,
  sort,
  split,
  indent,
  basename: onText(baseName, 'path'),
  dirname: onText((path) => cleanPath(path.slice(0, path.lastIndexOf('/') + 1)), 'path'),
  sanitize: onText((name) => name.replaceAll(/[^a-zA-Z0-9_-]/gu, '_'), 'name'),
}
