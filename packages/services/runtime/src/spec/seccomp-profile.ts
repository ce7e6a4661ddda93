import { invalid } from '@berth/base'
import type { RuntimeSeccomp } from '@berth/oci'
import type { HostFacts } from '../host/host-facts.ts'
import { hasKernel } from './seccomp.ts'

type Rule = NonNullable<RuntimeSeccomp['syscalls']>[number]
type Argument = NonNullable<Rule['args']>[number]
type Json = Readonly<Record<string, unknown>>

const actions = new Set(
  'ALLOW ERRNO KILL KILL_PROCESS KILL_THREAD LOG NOTIFY TRACE TRAP'.split(' ').map((name) => `SCMP_ACT_${name}`),
)
const operators = new Set('NE LT LE EQ GE GT MASKED_EQ'.split(' ').map((name) => `SCMP_CMP_${name}`))
const goArchitectures: Readonly<Record<string, string>> = {
  amd64: 'SCMP_ARCH_X86_64',
  386: 'SCMP_ARCH_X86',
  arm: 'SCMP_ARCH_ARM',
  arm64: 'SCMP_ARCH_AARCH64',
  ppc64le: 'SCMP_ARCH_PPC64LE',
  riscv64: 'SCMP_ARCH_RISCV64',
  s390x: 'SCMP_ARCH_S390X',
}

/**
 * A profile in Docker's format (OCI's, and besides `archMap`, and `includes`/`excludes` by capability, architecture and
 * kernel) as this host's OCI runtime takes it. Throws `invalid` naming what is wrong.
 */
export function parseSeccompProfile(
  text: string,
  capabilities: readonly string[],
  facts: Pick<HostFacts, 'architecture' | 'kernelVersion'>,
): RuntimeSeccomp {
  const json = parseJson(text)
  const rules = optionalList(json, 'syscalls').map((entry, index) => object(entry, `syscalls[${index}]`))
  const flags = strings(json, 'flags')
  refuse(json, ['listenerPath', 'listenerMetadata'])
  return {
    defaultAction: action(json.defaultAction, 'defaultAction'),
    ...optionalNumber(json, 'defaultErrnoRet'),
    ...architecturesOf(json, facts.architecture),
    ...(flags.length > 0 && { flags }),
    syscalls: rules.filter((rule) => applies(rule, capabilities, facts)).map(ruleOf),
  }
}

function parseJson(text: string): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(`Decoding seccomp profile failed: ${(error as Error).message}`, error)
  }
  return object(value, 'the profile')
}

function architecturesOf(json: Json, own: string): { architectures?: string[] } {
  const listed = strings(json, 'architectures')
  const map = optionalList(json, 'archMap').map((entry, index) => object(entry, `archMap[${index}]`))
  if (listed.length > 0 && map.length > 0) {
    throw problem(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    )
  }
  if (listed.length > 0) return { architectures: listed }
  const entry = map.find(({ architecture }) => architecture === goArchitectures[own])
  if (entry === undefined) return {}
  return { architectures: [String(entry.architecture), ...strings(entry, 'subArchitectures')] }
}

/** Whether a rule's `includes` and `excludes` hold here. */
function applies(
  rule: Json,
  capabilities: readonly string[],
  facts: Pick<HostFacts, 'architecture' | 'kernelVersion'>,
): boolean {
  const includes = object(rule.includes ?? {}, 'includes')
  const excludes = object(rule.excludes ?? {}, 'excludes')
  const hasAny = (names: readonly string[]) => names.some((name) => capabilities.includes(name))
  if (strings(excludes, 'arches').includes(facts.architecture)) return false
  if (hasAny(strings(excludes, 'caps'))) return false
  if (excludes.minKernel !== undefined && isKernelAtLeast(excludes.minKernel, facts)) return false
  const arches = strings(includes, 'arches')
  if (arches.length > 0 && !arches.includes(facts.architecture)) return false
  if (!strings(includes, 'caps').every((name) => capabilities.includes(name))) return false
  return includes.minKernel === undefined || isKernelAtLeast(includes.minKernel, facts)
}

function isKernelAtLeast(version: unknown, facts: Pick<HostFacts, 'kernelVersion'>): boolean {
  const match = /^(\d+)\.(\d+)$/.exec(String(version))
  if (!match) throw problem(`invalid kernel version: ${JSON.stringify(version)}`)
  return hasKernel(facts, Number(match[1]), Number(match[2]))
}

function ruleOf(rule: Json): Rule {
  const names = strings(rule, 'names')
  if (rule.name && names.length > 0) {
    throw problem("both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'")
  }
  const args = optionalList(rule, 'args').map(argumentOf)
  return {
    names: rule.name ? [String(rule.name)] : names,
    action: action(rule.action, 'action'),
    ...optionalNumber(rule, 'errnoRet'),
    ...(args.length > 0 && { args }),
  }
}

function argumentOf(entry: unknown): Argument {
  const argument = object(entry, 'args')
  const number = (name: string) => optionalNumber(argument, name)[name] ?? 0
  const op = String(argument.op)
  if (!operators.has(op)) throw problem(`string ${op} is not a valid operator for seccomp`)
  return { index: number('index'), value: number('value'), valueTwo: number('valueTwo'), op }
}

function action(value: unknown, name: string): string {
  if (typeof value !== 'string' || !actions.has(value)) {
    throw problem(`string ${String(value ?? '')} is not a valid action for seccomp (${name})`)
  }
  // A notify listener would need a process that answers: nobody would.
  if (value === 'SCMP_ACT_NOTIFY') throw problem('SCMP_ACT_NOTIFY is not supported')
  return value
}

function refuse(json: Json, names: readonly string[]): void {
  for (const name of names) if (json[name]) throw problem(`${name} is not supported`)
}

function object(value: unknown, name: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw problem(`${name} is not an object`)
}

function optionalList(json: Json, name: string): readonly unknown[] {
  const value = json[name] ?? []
  if (!Array.isArray(value)) throw problem(`${name} is not a list`)
  return value
}

function strings(json: Json, name: string): string[] {
  const list = optionalList(json, name)
  if (!list.every((value) => typeof value === 'string')) throw problem(`${name} is not a list of strings`)
  return [...list] as string[]
}

function optionalNumber(json: Json, name: string): Record<string, number> {
  const value = json[name]
  if (value === undefined || value === null) return {}
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw problem(`${name} is not a whole number`)
  return { [name]: Number(value) }
}

const problem = (message: string) => invalid(`Decoding seccomp profile failed: ${message}`)
