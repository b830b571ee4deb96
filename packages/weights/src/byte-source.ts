/** Random-access bytes, of a file or in memory. */
export interface ByteSource {
  /** The name in error messages. */
  readonly where: string
  /** The size in bytes. */
  readonly size: number
  /** Fills `target` with the bytes from `position` on, all of which must exist. */
  read(target: Uint8Array, position: number): void
  close(): void
}

/** Creates a source from bytes in memory. */
export const memorySource = (bytes: Uint8Array, where: string): ByteSource => ({
  where,
  size: bytes.length,
  read: (target, position) => target.set(bytes.subarray(position, position + target.length)),
  close: () => undefined,
})
