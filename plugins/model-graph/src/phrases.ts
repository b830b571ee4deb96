import { AttuneError, type Example, type Tokenizer } from '@attune/core'
import { type TokenPair, learnCollocations } from '@attune/text'
import { type Tensor, cast, equal, expandDims, gather, max, mul, sum, tensor } from '@tensorflow/tfjs-core'

/** Learns the collocations of the texts in a field of the examples. @throws AttuneError `NO_PHRASES` if there are none */
export async function learnPhrases(
  examples: AsyncIterable<Example>,
  field: string,
  counts: { readonly count: number; readonly minimumCount: number },
  { encode, vocabularySize, special }: Tokenizer,
): Promise<TokenPair[]> {
  async function* texts() {
    for await (const { [field]: text } of examples)
      if (typeof text === 'string') yield encode(text, { addSpecialTokens: false }).ids
  }
  const found = await learnCollocations(texts(), { vocabularySize, aside: Object.values(special), ...counts })
  if (found.length > 0) return found
  throw new AttuneError(
    'NO_PHRASES',
    `model graph: expected pairs of adjacent tokens in the field "${field}" of the training examples that occur more than ${counts.minimumCount} times, found none`,
    'Lower phraseMinimumCount, set `field` to the field that holds the text, or omit phraseCount.',
  )
}

/** Lookup table of phrases by their first token. */
export interface PhraseTable {
  readonly size: number
  /** Row of the phrases that start with each vocabulary entry, int32; row 0 is for entries that start none. */
  readonly rows: Int32Array
  /** Second tokens and phrase numbers, int32 of `shape`; unused entries of a row are −1 and 0. */
  readonly seconds: Int32Array
  readonly numbers: Int32Array
  readonly shape: [rows: number, width: number]
}

/** Builds the lookup table of phrases. */
export function phraseTable(phrases: readonly TokenPair[], vocabularySize: number): PhraseTable {
  const byFirst = new Map<number, number[]>()
  for (const [number, [first]] of phrases.entries()) {
    const own = byFirst.get(first) ?? []
    own.push(number)
    byFirst.set(first, own)
  }
  const width = Math.max(1, ...Array.from(byFirst.values(), ({ length }) => length))
  const rows = new Int32Array(vocabularySize)
  const seconds = new Int32Array((byFirst.size + 1) * width).fill(-1)
  const numbers = new Int32Array((byFirst.size + 1) * width)
  let row = 0
  for (const [first, own] of byFirst) {
    rows[first] = ++row
    for (const [column, number] of own.entries()) {
      seconds[row * width + column] = phrases[number]![1]
      numbers[row * width + column] = number
    }
  }
  return { size: phrases.length, rows, seconds, numbers, shape: [byFirst.size + 1, width] }
}

/**
 * The phrase that starts at each token, given the next token (both int32 `[batch, length]`): `numbers`, int32, and `found`, bool, true
 * where there is one.
 */
export function phrasesAt(
  { rows, seconds, numbers, shape }: PhraseTable,
  ids: Tensor,
  next: Tensor,
): { readonly numbers: Tensor; readonly found: Tensor } {
  type Ids = Tensor & { dtype: 'int32' }
  const row = gather(tensor(rows, [rows.length], 'int32'), ids as Ids) as Ids // [batch, length]
  const candidates = gather(tensor(seconds, shape, 'int32'), row) // [batch, length, width]
  const hits = cast(equal(candidates, expandDims(next, 2)), 'int32')
  return {
    numbers: sum(mul(hits, gather(tensor(numbers, shape, 'int32'), row)), 2),
    found: cast(max(hits, 2), 'bool'),
  }
}
