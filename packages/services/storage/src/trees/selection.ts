import { type IgnoreRules, ignoreRules } from '@berth/dockerfile'
import { closeSync, constants, openSync } from 'node:fs'
import { openSource, selectSources, type SelectedSource } from './select-sources.ts'

/** What to take out of a tree, as it is told to a worker. */
export interface SourceSelection {
  /** Absolute host path of the tree's root. */
  readonly root: string
  /** Without leading slashes, clean; '' or '.' is the root. */
  readonly patterns: readonly string[]
  /** The patterns are paths, whatever is in them. */
  readonly isLiteral?: boolean
  /** Owners count, and are copied. */
  readonly keepsOwner: boolean
  /** What is left out below a selected directory, as `.dockerignore` has it. */
  readonly excludes: readonly string[]
}

export interface OpenSelection {
  readonly sources: readonly SelectedSource[]
  readonly excluded: IgnoreRules
}

/** Opens what is selected for `work`. */
export function withSources<T>(selection: SourceSelection, work: (open: OpenSelection) => T): T {
  const root = openSync(selection.root, constants.O_RDONLY | constants.O_DIRECTORY)
  using stack = new DisposableStack()
  stack.defer(() => closeSync(root))
  const select = selection.isLiteral === true ? openSource : selectSources
  const sources = selection.patterns.flatMap((pattern) => select(root, pattern).map((one) => stack.use(one)))
  return work({ sources, excluded: ignoreRules(selection.excludes) })
}
