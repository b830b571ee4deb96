import { type Tokenizer, key, stream } from '@attune/core'

/** How tokens are hidden. */
export interface Masking {
  /** The share of tokens that are to be found again. */
  readonly probability: number
  /** Whether all pieces of a word are hidden together. */
  readonly wholeWord: boolean
}

/** A text with some tokens hidden: what the model reads, and what stood at which places. */
export interface Masked {
  readonly ids: readonly number[]
  readonly places: readonly number[]
  readonly targets: readonly number[]
}

/** Of the chosen tokens this share becomes the mask, as large a share of the rest a random token, the others stay. */
const REPLACED = 0.8
const RANDOM = 0.5

/** Runs of places that are hidden together: words or, without them, single tokens. Special tokens are in none. */
function unitsOf(ids: readonly number[], tokenizer: Tokenizer, wholeWord: boolean): number[][] {
  const special = new Set(Object.values(tokenizer.special))
  const units: number[][] = []
  let open = false
  for (const [place, id] of ids.entries()) {
    const plain = !special.has(id) || id === tokenizer.special.unknown
    const goesOn = wholeWord && open && (tokenizer.token(id) ?? '').startsWith('##')
    if (plain && goesOn) units.at(-1)!.push(place)
    else if (plain) units.push([place])
    open = plain
  }
  return units
}

/** How many tokens of a text are hidden: the share, rounded, and one at least. */
export const maskedCount = (tokens: number, { probability }: Pick<Masking, 'probability'>): number =>
  Math.max(1, Math.round(tokens * probability))

/**
 * Hides tokens of one text: units in random order, until the share is reached; a unit that would go beyond it by more than
 * it lacks is left out. Of the hidden tokens 80 % become `[MASK]`, 10 % any token, 10 % stay.
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
  // A text of one long word has no unit that fits: a piece of it is hidden then.
  if (chosen.length === 0 && units.length > 0) chosen.push(units[0]![0]!)
  const places = chosen.sort((a, b) => a - b)
  const read = [...ids]
  for (const place of places) {
    const draw = random()
    const any = Math.floor(random() * tokenizer.vocabularySize)
    if (draw < REPLACED) read[place] = tokenizer.special.mask!
    else if (draw < REPLACED + (1 - REPLACED) * RANDOM) read[place] = any
  }
  return { ids: read, places, targets: places.map((place) => ids[place]!) }
}

/** A stream of random numbers that is a text's own: what is evaluated with, so that scores can be compared. */
export const ownRandom = (ids: readonly number[]): (() => number) =>
  stream(key(ids.reduce((hash, id) => Math.imul(hash ^ id, 0x01000193) >>> 0, 0x811c9dc5)))
