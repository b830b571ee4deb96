import type { Budget } from '@attune/core'
import type { Span } from './pattern.js'
import { utf8Spans } from './utf8-spans.js'

/** End of a character, as `next` of its last byte. */
export const END = -1

/** Reading of a byte; `next` is the index of a tail, or {@link END}. */
interface CharacterByte {
  readonly first: number
  readonly last: number
  readonly next: number
}

/** States that read one character of a set: tails in an order such that each continues with an earlier one, and first bytes. */
export interface CharacterStates {
  readonly tails: readonly CharacterByte[]
  readonly edges: readonly CharacterByte[]
}

/** States that read one character of a set in UTF-8. Common suffixes of characters are shared. */
export function characterStates(spans: readonly Span[], budget: Budget): CharacterStates {
  const tails: CharacterByte[] = []
  const shared = new Map<string, number>()
  const after = (bytes: readonly Span[]): number => {
    if (bytes.length === 0) return END
    const name = bytes.join()
    const known = shared.get(name)
    if (known !== undefined) return known
    const [first, last] = bytes[0]!
    const next = after(bytes.slice(1))
    shared.set(name, tails.length)
    return tails.push({ first, last, next }) - 1
  }
  budget.spend(300 * spans.length)
  const sequences = utf8Spans(spans)
  budget.spend(300 * sequences.length)
  const edges = sequences.map((bytes) => ({ first: bytes[0]![0], last: bytes[0]![1], next: after(bytes.slice(1)) }))
  return { tails, edges }
}

/** Returns {@link characterStates}, computed once for each set. */
export function sharedCharacterStates(budget: Budget): (spans: readonly Span[]) => CharacterStates {
  const known = new Map<readonly Span[], CharacterStates>()
  return (spans) => {
    const states = known.get(spans) ?? characterStates(spans, budget)
    known.set(spans, states)
    return states
  }
}
