/** Keeps open descriptors by name while this process is being replaced. */
export interface DescriptorStore {
  /** The store keeps a copy; `fd` stays the caller's. */
  put(name: string, fd: number): void
  /** What earlier processes put and nobody has taken. */
  left(): readonly string[]
  /** A copy of what an earlier process put; the caller's from now on. */
  take(name: string): number | undefined
  /** Forgets it. Idempotent. The copy is closed a little later. */
  drop(name: string): void
  /** Resolves when the copies of all that was dropped are closed, or the store is gone with them. Rejects when nobody knows. */
  settle(signal?: AbortSignal): Promise<void>
}

/** For what ends with this process. */
export const noDescriptors: DescriptorStore = {
  put() {},
  left: () => [],
  take: () => undefined,
  drop() {},
  async settle() {},
}
