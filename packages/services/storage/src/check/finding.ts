import { messageOf } from '@berth/base'

/** What a check looks for. */
export type FindingKind =
  | 'corrupt-blob'
  | 'missing-blob'
  | 'missing-files'
  | 'missing-parent'
  | 'garbage'
  | 'leftover'
  | 'stray-mount'
  | 'stray-namespace'
  | 'database'

/** Something that is not as the records have it. */
export interface Finding {
  readonly kind: FindingKind
  /** A digest, a path or a container's id. */
  readonly subject: string
  readonly message: string
  /** What a repair does, or has done; absent where only a human can tell. */
  readonly remedy?: string
  readonly isRepaired: boolean
}

/** A finding and how it is mended; `repair` loses nothing that anything refers to. */
export interface Found {
  readonly finding: Omit<Finding, 'isRepaired' | 'remedy'>
  readonly remedy?: { readonly text: string; readonly repair: () => void | Promise<void> }
}

/** Mends what can be mended, where that is wanted. A repair that fails is told in the finding. */
export async function settle({ finding, remedy }: Found, wantsRepair: boolean): Promise<Finding> {
  if (!remedy) return { ...finding, isRepaired: false }
  if (!wantsRepair) return { ...finding, remedy: remedy.text, isRepaired: false }
  try {
    await remedy.repair()
    return { ...finding, remedy: remedy.text, isRepaired: true }
  } catch (error) {
    return { ...finding, remedy: `${remedy.text}: ${messageOf(error)}`, isRepaired: false }
  }
}
