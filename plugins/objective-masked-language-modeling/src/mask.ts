import { type Tokenizer, key, stream } from '@attune/core'

/** Masking parameters. */
export interface Masking {
  /** Fraction of tokens to mask. */
  readonly probability: number
  /** Mask all subwords of a word together. */
  readonly wholeWord: boolean
}

/** A masked text: the input ids, and the masked positions with their original tokens. */
export interface Masked {
  readonly ids: readonly number[]
  readonly positions: readonly number[]
  readonly targets: readonly number[]
}

/** Of the chosen tokens, this fraction becomes the mask; half of the others become a random token, the rest stay unchanged. */
const REPLACED = 0.8
const RANDOM = 0.5

/** Runs of positions that are masked together: words or, without whole-word masking, single tokens. Special tokens are excluded. */
function unitsOf(ids: readonly number[], tokenizer: Tokenizer, wholeWord: boolean): number[][] {
  const special = new Set(Object.values(tokenizer.special))
  const units: number[][] = []
  let open = false
  for (const [position, id] of ids.entries()) {
    const plain = !special.has(id) || id === tokenizer.special.unknown
    const continues = wholeWord && open && (tokenizer.token(id) ?? '').startsWith('##')
    if (plain && continues) units.at(-1)!.push(position)
    else if (plain) units.push([position])
    open = plain
  }
  return units
}

/** Number of masked tokens of a text: the rounded fraction, at least one. */
export const maskedCount = (tokens: number, { probability }: Pick<Masking, 'probability'>): number =>
  Math.max(1, Math.round(tokens * probability))

/**
 * Masks tokens of one text: words (or tokens) in random order until the fraction is reached; a word that would exceed it is skipped. Of
 * the chosen tokens 80 % become `[MASK]`, 10 % a random token, 10 % stay unchanged.
 * Source: Devlin et al., BERT, 2019, section 3.1 and appendix A.1; whole words as in BERT's code of May 2019.
 */
export function maskTokens(
  ids: readonly number[],
  tokenizer: Tokenizer,
  masking: Masking,
  random: () => number,
): Masked {
  const units = unitsOf(ids, tokenizer, masking.wholeWord)
  const wanted = maskedCount(
    units.reduce((sum, unit) => sum + unit.length, 0),
    masking,
  )
  for (let i = units.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[units[i], units[j]] = [units[j]!, units[i]!]
  }
  const chosen: number[] = []
  for (const unit of units) if (chosen.length + unit.length <= wanted) chosen.push(...unit)
  // In a text of one long word no unit fits: mask a single subword of it.
  if (chosen.length === 0 && units.length > 0) chosen.push(units[0]![0]!)
  const positions = chosen.sort((a, b) => a - b)
  const read = [...ids]
  for (const position of positions) {
    const uniform = random()
    const any = Math.floor(random() * tokenizer.vocabularySize)
    if (uniform < REPLACED) read[position] = tokenizer.special.mask!
    else if (uniform < REPLACED + (1 - REPLACED) * RANDOM) read[position] = any
  }
  return { ids: read, positions, targets: positions.map((position) => ids[position]!) }
}

/** A random stream derived from the text, for evaluation: the same text always has the same mask, so scores are comparable. */
export const ownRandom = (ids: readonly number[]): (() => number) =>
  stream(key(ids.reduce((hash, id) => Math.imul(hash ^ id, 0x01000193) >>> 0, 0x811c9dc5)))
