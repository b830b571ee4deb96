import { type Tokenizer, shuffled } from '@attune/core'
import { oneSpan } from './one-span.js'
import { randomSpans } from './random-spans.js'
import { geometricLengths, harmonicLengths, sampleLength } from './sample-length.js'
import { withinBudget, wordUnits } from './word-units.js'

/** Runs of words that are masked together. */
export type Spans = 'none' | 'ngram' | 'geometric' | 'sequence'

/** Masking parameters. */
export interface Masking {
  /** Fraction of tokens to mask. */
  readonly probability: number
  /** Mask all subwords of a word together. */
  readonly wholeWord: boolean
  readonly spans: Spans
  /** Maximum length of a span, in words or, without whole-word masking, in tokens. */
  readonly maximumSpanLength: number
  /** Parameter of the geometric distribution of lengths. */
  readonly spanProbability: number
  /** Fraction of the chosen tokens that become the mask, and that become a random token; the others stay unchanged. */
  readonly maskedFraction: number
  readonly randomFraction: number
  /** Unit of replacement: each token for itself, or all tokens of a span. */
  readonly replace: 'token' | 'span'
}

/** A masked text: the input ids, and the masked positions with their original tokens. */
export interface Masked {
  readonly ids: readonly number[]
  readonly positions: readonly number[]
  readonly targets: readonly number[]
}

/** Runs of positions that are replaced alike. */
type Groups = readonly (readonly number[])[]

const below = (end: number, random: () => number): number => Math.floor(random() * end)

/** Number of masked tokens of a text: the rounded fraction, at least one. */
export const maskedCount = (tokens: number, { probability }: Pick<Masking, 'probability'>): number =>
  Math.max(1, Math.round(tokens * probability))

/** Groups of positions to mask. */
function chosenGroups(units: Groups, budget: number, masking: Masking, random: () => number): Groups {
  const { spans, maximumSpanLength: maximum, spanProbability } = masking
  if (spans === 'sequence') return oneSpan(units, budget, random)
  if (spans !== 'none') {
    const weights = spans === 'ngram' ? harmonicLengths(maximum) : geometricLengths(spanProbability, maximum)
    return randomSpans(units, budget, () => sampleLength(weights, random), random)
  }
  const chosen = new Set(withinBudget(shuffled(units, random), budget))
  return units.filter(([first]) => chosen.has(first!))
}

/**
 * Returns a function that masks tokens of a text until the fraction is reached: words (or tokens) in random order, of which one that would
 * exceed it is skipped; spans of words; or one sequence. Of the chosen tokens or, with `replace: span`, of the spans, 80 % by default become
 * `[MASK]`, 10 % random tokens, and the rest stay unchanged.
 * Source: Devlin et al., BERT, 2019, section 3.1 and appendix A.1; whole words as in BERT's code of May 2019; spans as in Joshi et al.,
 * SpanBERT, 2020, section 3.1; n-grams as in Lan et al., ALBERT, 2020, section 4.1; one sequence as in Song et al., MASS, 2019, section 3.2.
 */
export function masker(tokenizer: Tokenizer, masking: Masking) {
  const unitsOf = wordUnits(tokenizer, masking.wholeWord)
  return (ids: readonly number[], random: () => number, probability = masking.probability): Masked => {
    const units = unitsOf(ids)
    const wanted = maskedCount(units.flat().length, { probability })
    const groups = chosenGroups(units, wanted, masking, random)
    // In a text of one long word no unit fits: mask a single subword of it.
    const found = groups.length > 0 || units.length === 0 ? groups : [[units[below(units.length, random)]![0]!]]
    const alike = masking.replace === 'span' ? found : found.flat().map((position) => [position])
    const read = [...ids]
    for (const group of alike) {
      const uniform = random()
      for (const position of group) {
        const any = below(tokenizer.vocabularySize, random)
        if (uniform < masking.maskedFraction) read[position] = tokenizer.special.mask!
        else if (uniform < masking.maskedFraction + masking.randomFraction) read[position] = any
      }
    }
    const positions = found.flat().sort((a, b) => a - b)
    return { ids: read, positions, targets: positions.map((position) => ids[position]!) }
  }
}
