/**
 * FNV-1a hash of a field's value, a signed 32-bit integer: the form in which a batch holds the example fields that a regularizer reads,
 * so that they can be compared with names on the device.
 *
 * @example
 * ```ts
 * import { fieldHash } from '@attune/data'
 * console.log(fieldHash('female'), fieldHash('male')) // -1836125543 -509763632
 * ```
 */
export function fieldHash(value: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(value)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash | 0
}
