/** What one HTTP exchange needs of a connection. */
export interface Channel {
  /** The next bytes; undefined at the end of the stream. Rejects if the connection broke. */
  read(): Promise<Buffer | undefined>
  /** Puts back bytes that were read too far. */
  unread(chunk: Buffer): void
  /** Writes all of it; resolves when the kernel can take more. */
  write(data: Uint8Array | string): Promise<void>
  /** Whether another request may be sent. */
  readonly usable: boolean
  /** Why the other side may have closed it without an answer; empty when that is not known. */
  readonly closedHint: string
  /** Aborting the signal breaks the connection, and its reason is what reads reject with; undefined: no longer. */
  breakOn(signal: AbortSignal | undefined): void
  destroy(): void
}
