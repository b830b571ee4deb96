import type { Encoding } from '@attune/core'

/** One place of a template: special tokens, or the first or second text. */
export type Piece =
  { readonly ids: readonly number[]; readonly type: number } | { readonly text: 'A' | 'B'; readonly type: number }

/** How special tokens stand around one text and around two. */
export interface Templates {
  readonly single: readonly Piece[]
  readonly pair: readonly Piece[]
}

/** How many tokens of two texts to keep, at most `budget` in all, cutting the longer one first, as the Rust library does. */
export function keepLongestFirst(first: number, second: number, budget: number): readonly [number, number] {
  const [short, long] = [Math.min(first, second), Math.max(first, second)]
  if (short + long <= budget) return [first, second]
  const half = Math.floor(budget / 2)
  const kept = short <= half ? [short, budget - short] : [half, half + (budget % 2)]
  const [ofShort, ofLong] = kept as [number, number]
  return first <= second ? [ofShort, ofLong] : [ofLong, ofShort]
}

/** Puts texts into a template, cut so that no more than `maximumLength` tokens result (never below the special ones). */
export function fill(
  { single, pair }: Templates,
  a: readonly number[],
  b: readonly number[] | undefined,
  maximumLength: number,
): Encoding {
  const template = b === undefined ? single : pair
  const special = template.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0)
  const [keepA, keepB] = keepLongestFirst(a.length, b?.length ?? 0, Math.max(0, maximumLength - special))
  const ids: number[] = []
  const typeIds: number[] = []
  for (const piece of template) {
    const part = 'ids' in piece ? piece.ids : piece.text === 'A' ? a.slice(0, keepA) : (b ?? []).slice(0, keepB)
    for (const id of part) {
      ids.push(id)
      typeIds.push(piece.type)
    }
  }
  return { ids, typeIds, truncated: keepA < a.length || keepB < (b?.length ?? 0) }
}
