import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RuntimeSpec } from '@berth/oci'
import type { RuntimeCommand } from '../protocol/messages.ts'
import { optimizeFilter } from '../seccomp/optimize-filter.ts'

/** A seccomp filter to be loaded as it is, in base64: crun(1), annotations. Other runtimes do not look at it. */
const annotation = 'run.oci.seccomp_bpf_data'
/** Where crun keeps the filter for later execs: instructions of 8 bytes (struct sock_filter). */
const filterFile = 'seccomp.bpf'
const instructionBytes = 8
const maxFilters = 16

/**
 * Seccomp filters that the OCI runtime has compiled once: libseccomp takes 10 ms for the default profile, a third of a
 * container's start, and the kernel more than one to load what that makes. The profile stays in the spec, for a runtime
 * that does not take the filter.
 */
export class CompiledFilters {
  readonly #filters = new Map<string, string>()

  /** The spec with the filter that this runtime made of the same profile before. */
  apply(command: RuntimeCommand, spec: RuntimeSpec): RuntimeSpec {
    const key = keyOf(command, spec)
    const filter = key === undefined ? undefined : this.#filters.get(key)
    return filter === undefined ? spec : { ...spec, annotations: { ...spec.annotations, [annotation]: filter } }
  }

  /** Keeps the filter of a container that was started with `spec` as it was before `apply`; `stateDirectory` is crun's. */
  learn(command: RuntimeCommand, spec: RuntimeSpec, stateDirectory: string): void {
    const key = keyOf(command, spec)
    if (key === undefined || this.#filters.has(key)) return
    const filter = readFilter(join(stateDirectory, filterFile))
    if (filter === undefined) return
    const [oldest] = this.#filters.keys()
    if (oldest !== undefined && this.#filters.size >= maxFilters) this.#filters.delete(oldest)
    this.#filters.set(key, filter.toString('base64'))
    // Some milliseconds, which no start should wait for.
    setImmediate(() => this.#filters.set(key, optimizeFilter(filter).toString('base64')))
  }
}

/** Undefined: no filter, or one that the user's own annotations have a say in. */
function keyOf({ path, args }: RuntimeCommand, { linux, annotations }: RuntimeSpec): string | undefined {
  if (!linux.seccomp) return undefined
  if (Object.keys(annotations ?? {}).some((name) => name.startsWith('run.oci.seccomp'))) return undefined
  return JSON.stringify([path, args, digestOf(linux.seccomp)])
}

/** The default profile is the same object for most containers. */
const digests = new WeakMap<object, string>()

function digestOf(profile: object): string {
  const known = digests.get(profile)
  if (known !== undefined) return known
  const digest = hash('sha256', JSON.stringify(profile))
  digests.set(profile, digest)
  return digest
}

function readFilter(file: string): Buffer | undefined {
  try {
    const filter = readFileSync(file)
    return filter.length > 0 && filter.length % instructionBytes === 0 ? filter : undefined
  } catch {
    // Of another runtime, or of a container that has been removed already; it runs in any case.
    return undefined
  }
}
