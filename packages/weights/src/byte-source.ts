/** Bytes that can be read at any position: a file's, or some in memory. */
export interface ByteSource {
  /** What to call it in errors. */
  readonly where: string
  /** In bytes. */
  readonly size: number
  /** Fills `target` with the bytes from `position` on; all of them must be there. */
  read(target: Uint8Array, position: number): void
  close(): void
}

/** Bytes in memory. */
export const memorySource = (bytes: Uint8Array, where: string): ByteSource => ({
  where,
  size: bytes.length,
  read: (target, position) => target.set(bytes.subarray(position, position + target.length)),
  close: () => undefined,
})
