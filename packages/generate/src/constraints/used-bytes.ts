import type { Budget } from '@attune/core'
import type { CharacterStates } from './character-states.js'
import type { Pattern, Span } from './pattern.js'
import { type PatternLengths, partsOf } from './pattern-lengths.js'

/** Bytes of the texts that match a pattern. */
export interface UsedBytes {
  /** 1 for each byte that occurs in a text that matches. */
  readonly isUsed: Uint8Array
  /** First bytes of ranges: bytes of one range are not distinguished. */
  readonly starts: readonly number[]
}

/** Marks the bytes of a pattern, each shared part once. */
export function usedBytes(
  root: Pattern,
  lengths: PatternLengths,
  characters: (spans: readonly Span[]) => CharacterStates,
  budget: Budget,
): UsedBytes {
  const isUsed = new Uint8Array(256)
  const begins = new Uint8Array(257)
  begins[0] = 1
  const mark = (first: number, last: number): void => {
    isUsed.fill(1, first, last + 1)
    begins[first] = begins[last + 1] = 1
  }
  const seen = new Set<Pattern>()
  const sets = new Set<readonly Span[]>()
  const waiting = [root]
  for (let pattern = waiting.pop(); pattern !== undefined; pattern = waiting.pop()) {
    // Parts that match nothing lie on no path.
    if (seen.has(pattern) || lengths.of(pattern) === Infinity) continue
    seen.add(pattern)
    budget.spend(20)
    if (pattern.kind === 'text') for (const byte of new TextEncoder().encode(pattern.text)) mark(byte, byte)
    else if (pattern.kind === 'set' && !sets.has(pattern.spans)) {
      sets.add(pattern.spans)
      const { tails, edges } = characters(pattern.spans)
      for (const { first, last } of [...tails, ...edges]) mark(first, last)
    } else if (pattern.kind !== 'repeat' || pattern.max > 0) for (const part of partsOf(pattern)) waiting.push(part)
  }
  return { isUsed, starts: Array.from(begins.keys()).filter((byte) => byte < 256 && begins[byte] === 1) }
}
