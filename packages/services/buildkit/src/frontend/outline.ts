import { ownValue } from '@berth/base'
import { type BuildRequest, parseMountText, planBuild, type StageRequest } from '@berth/builder'
import { type ArgInstruction, expandWord, type Stage } from '@berth/dockerfile'
import { posix } from 'node:path'
import { describe, type Location, locationOf } from './list-targets.ts'

interface Named {
  readonly name: string
  readonly location: Location
}

/** What a target lets itself be given: github.com/moby/buildkit/frontend/subrequests/outline */
export interface Outline {
  readonly name?: string
  readonly description?: string
  readonly args?: readonly (Named & { readonly value?: string; readonly description?: string })[]
  readonly secrets?: readonly (Named & { readonly required?: boolean })[]
  readonly ssh?: readonly (Named & { readonly required?: boolean })[]
  /** Base64. */
  readonly sources: readonly string[]
}

/** The arguments, secrets and agents of a target and of what it stands on, in the order of the file. */
export function outlineOf(request: StageRequest): Outline {
  const { dockerfile, target, needed, automatic } = planBuild(request, 'buildkit')
  const { stageName, line } = target.from
  const description = stageName === '' ? '' : describe(stageName, line.comments)
  const all = argsOf(dockerfile.globalArgs, needed, request.args)
  // Those of the platform have values of their own, unless somebody gives them one.
  const args = all.filter(({ name, value }) => value !== undefined || !automatic.has(name))
  const mounts = needed.flatMap(mountsOf)
  const [secrets, ssh] = (['secret', 'ssh'] as const).map((type) => inOrder(mounts.filter((one) => one.type === type)))
  return {
    ...(stageName !== '' && { name: stageName }),
    ...(description !== '' && { description }),
    ...(args.length > 0 && { args }),
    ...(secrets && secrets.length > 0 && { secrets: secrets.map(withoutType) }),
    ...(ssh && ssh.length > 0 && { ssh: ssh.map(withoutType) }),
    sources: [Buffer.from(request.dockerfile).toString('base64')],
  }
}

/** Each name once: the last to have it. */
const inOrder = <T extends Named>(all: readonly T[]): T[] =>
  [...new Map(all.map((one) => [one.name, one])).values()].toSorted(
    (a, b) => (a.location.ranges[0]?.start.line ?? 0) - (b.location.ranges[0]?.start.line ?? 0),
  )

type Arg = NonNullable<Outline['args']>[number]

function argsOf(globals: readonly ArgInstruction[], needed: readonly Stage[], given: BuildRequest['args']): Arg[] {
  const values = new Map<string, string>()
  const known = new Map(globals.flatMap((one) => describeArgs(one, values, given)).map((arg) => [arg.name, arg]))
  const used = needed.flatMap(({ from }) => [...known.values()].filter(({ name }) => mentions(from.line.rest, name)))
  const own = needed.flatMap(({ instructions }) => {
    const scope = new Map<string, string>()
    return instructions.flatMap((instruction) => {
      if (instruction.kind !== 'arg') return []
      const { args } = instruction
      const inherited = args.flatMap(({ name, value }) => (value === undefined ? (known.get(name) ?? []) : []))
      for (const { name, value = '' } of inherited) scope.set(name, value)
      const names = new Set(inherited.map(({ name }) => name))
      return [...inherited, ...describeArgs(instruction, scope, given).filter(({ name }) => !names.has(name))]
    })
  })
  return inOrder([...used, ...own])
}

const mentions = (word: string, name: string): boolean => new RegExp(`\\$\\{?${RegExp.escape(name)}\\b`).test(word)

function describeArgs(instruction: ArgInstruction, scope: Map<string, string>, given: BuildRequest['args']): Arg[] {
  return instruction.args.map(({ name, value }) => {
    const own = value === undefined ? undefined : expandWord(value, { environment: scope })
    const chosen = ownValue(given, name) ?? own
    if (chosen !== undefined) scope.set(name, chosen)
    const description = describe(name.toLowerCase(), instruction.line.comments)
    return {
      name,
      ...(chosen !== undefined && { value: chosen }),
      ...(description !== '' && { description }),
      location: locationOf(instruction.line.lines),
    }
  })
}

type Mount = Named & { readonly type: 'secret' | 'ssh'; readonly required?: boolean }

function mountsOf({ instructions }: Stage): Mount[] {
  return instructions.flatMap((instruction) => {
    if (instruction.kind !== 'run') return []
    const location = locationOf(instruction.line.lines)
    return instruction.mounts.flatMap((text): Mount[] => {
      if (text.includes('$')) return []
      const { type, id, source, target, variable, isRequired } = parseMountText(text)
      if (type !== 'secret' && type !== 'ssh') return []
      const name = id || (type === 'ssh' ? 'default' : source || posix.basename(target) || variable)
      return [{ type, name, ...(isRequired && { required: true }), location }]
    })
  })
}

const withoutType = ({ name, required, location }: Mount): Omit<Mount, 'type'> => ({
  name,
  ...(required && { required }),
  location,
})
