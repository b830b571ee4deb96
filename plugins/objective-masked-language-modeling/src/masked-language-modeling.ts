import {
  AttuneError,
  type Batch,
  type EncodeOptions,
  type Encoded,
  type Example,
  type HostArray,
  LOSS,
  type LossTerm,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
} from '@attune/core'
import {
  type Masked,
  type Packing,
  type TextArrays,
  unpackedRows,
  lengthOptions,
  lengthsFor,
  maskedCount,
  masker,
  maximumTokens,
  packSequences,
  ownRandom,
  packedTextArrays,
  padTo,
  paddedLength,
  textArrays,
  textOf,
} from '@attune/data'
import {
  type TokenLosses,
  headFor,
  lossOf,
  maskedLogits,
  packedLosses,
  requirePackable,
  hiddenStatesAt,
  initialMaskedHead,
  tokenLosses,
} from '@attune/nn'
import { z } from 'zod'

/** Token ids of a text. */
interface Item extends Encoded {
  readonly ids: readonly number[]
}

/**
 * `positions`, `targets` (int32) and `weights` (float32, 0 for padding) are `[rows, masked tokens]`, as is `examples` (int32), for packed
 * rows: the index in the batch of the text that each token belongs to.
 */
interface MaskedBatch extends Batch {
  readonly inputs: TextArrays
  readonly positions: HostArray
  readonly targets: HostArray
  readonly weights: HostArray
  readonly examples?: HostArray
}

const fraction = z.number().min(0).max(1)

const shape = z.strictObject({
  text: z.string().default('text').meta({ field: 'text', required: true }).describe('Field that holds the text'),
  maskingProbability: z
    .number()
    .positive()
    .lt(1)
    .default(0.15)
    .meta({ scheduled: 'collation' })
    .describe('Fraction of the tokens to mask'),
  wholeWord: z.boolean().default(true).describe('Mask all subwords of a word together (whole-word masking)'),
  spans: z
    .enum(['none', 'ngram', 'geometric', 'sequence'])
    .default('none')
    .describe(
      'Mask spans of words: `ngram` with lengths n of probability 1/n (ALBERT), `geometric` (SpanBERT), or one `sequence` (MASS)',
    ),
  maximumSpanLength: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('Maximum length of a span, in words. Default: 3 for ngram, 10 for geometric'),
  spanProbability: z
    .number()
    .positive()
    .lt(1)
    .default(0.2)
    .describe('Parameter p of the lengths of `geometric`: p(1 − p)^(n − 1)'),
  maskedFraction: fraction.default(0.8).describe('Fraction of the chosen tokens that become the mask token'),
  randomFraction: fraction
    .default(0.1)
    .describe('Fraction of the chosen tokens that become a random token; the others stay unchanged'),
  replace: z
    .enum(['token', 'span'])
    .default('token')
    .describe('Choose the mask, a random token or no change for each token, or once for a `span` (SpanBERT)'),
  maximumLength: maximumTokens(3),
  packTo: z
    .int()
    .min(3)
    .optional()
    .describe(
      'Pack short texts into rows of at most this many tokens, without attention between texts. Default: one text per row',
    ),
  ...lengthOptions,
})

/** Rounding of the sum of two fractions. */
const EPSILON = 1e-9

const options = shape
  .refine((o) => o.maskedFraction + o.randomFraction <= 1 + EPSILON, {
    path: ['randomFraction'],
    message: 'must be at most 1 − maskedFraction',
  })
  .refine((o) => o.spans !== 'none' || o.maximumSpanLength === undefined, {
    path: ['maximumSpanLength'],
    message: 'has no effect without spans; set spans: geometric or ngram',
  })

type Options = z.output<typeof options>

function requireMask({ special }: Tokenizer): void {
  if (special.mask !== undefined) return
  throw new AttuneError(
    'NO_MASK_TOKEN',
    'objective masked-language-modeling: expected a tokenizer with a mask token',
    'Use a BERT-style tokenizer, or train one: wordpiece adds [MASK].',
  )
}

/** The assignment of texts to rows: one text per row, or packed into as few rows as the heuristic finds. */
const packingOf = ({ packTo }: Options, texts: readonly { readonly length: number }[]): Packing => {
  const lengths = texts.map(({ length }) => length)
  return packTo === undefined ? unpackedRows(lengths) : packSequences(lengths, packTo)
}

/** The values of the texts in each row of a packing, concatenated. */
const concatenated = <T>({ positions, rows }: Packing, texts: readonly (readonly T[])[]): readonly T[][] => {
  const order = positions.map((_, at) => at).sort((a, b) => positions[a]!.start - positions[b]!.start)
  return Array.from({ length: rows }, (_, row) =>
    order.filter((at) => positions[at]!.row === row).flatMap((at) => texts[at]!),
  )
}

/** Index of the first masked token of each text among the `width` masked tokens per row: after those of earlier texts in the row. */
function firstOf({ positions }: Packing, hidden: readonly (readonly unknown[])[], width: number): readonly number[] {
  const before = (at: number, other: number): boolean =>
    positions[other]!.row === positions[at]!.row && positions[other]!.start < positions[at]!.start
  const others = (at: number): number =>
    hidden.reduce((sum, { length }, other) => sum + (before(at, other) ? length : 0), 0)
  return positions.map(({ row }, at) => row * width + others(at))
}

/** Maximum number of masked tokens in a row of `length` at a masking probability; a packed text has at least one. */
function maskedPerRow(packing: Packing, texts: readonly Masked[], length: number, o: Options): number {
  const maximumMasked = (tokens: number): number => maskedCount(tokens, { probability: o.maskingProbability })
  if (o.packTo === undefined) return maximumMasked(length)
  const counts = concatenated(
    packing,
    texts.map(({ ids }) => [maximumMasked(ids.length)]),
  ).map((row) => row.reduce((sum, count) => sum + count, 0))
  return paddedLength(Math.max(...counts), o.padToMultipleOf, length)
}

function collate(texts: readonly Masked[], pad: number, o: Options & { readonly maximumLength: number }): MaskedBatch {
  const ids = texts.map((text) => text.ids)
  const packing = packingOf(o, ids)
  const length = paddedLength(packing.length, o.padToMultipleOf, Math.max(o.maximumLength, o.packTo ?? 0))
  const count = maskedPerRow(packing, texts, length, o)
  const layOut = (values: (text: Masked, start: number, at: number) => readonly number[]): HostArray =>
    padTo(
      concatenated(
        packing,
        texts.map((text, at) => values(text, packing.positions[at]!.start, at)),
      ),
      count,
      0,
    )
  const weights = layOut(({ positions }) => positions.map(() => 1))
  return {
    inputs: o.packTo === undefined ? textArrays(ids, length, pad) : packedTextArrays(ids, packing, length, pad),
    positions: layOut(({ positions }, start) => positions.map((position) => start + position)),
    targets: layOut(({ targets }) => targets),
    weights: { ...weights, dtype: 'float32', values: Float32Array.from(weights.values) },
    ...(o.packTo === undefined ? {} : { examples: layOut(({ positions }, _, at) => positions.map(() => at)) }),
  }
}

function read({ encode }: Tokenizer, text: string, options: EncodeOptions): Item {
  const { ids, truncated } = encode(text, options)
  return { ids, truncated, length: ids.length }
}

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<Item, MaskedBatch, TokenLosses> {
  requireMask(tokenizer)
  if (o.packTo !== undefined) requirePackable(model, o.packTo, 'objective masked-language-modeling')
  const head = headFor(model, 'masked-language-modeling')
  const ofRows = lossOf(losses, 'labels')
  const limits = lengthsFor(o, model)
  const [{ maximumLength }, pad] = [limits, tokenizer.special.pad ?? 0]
  const maximumSpanLength = o.maximumSpanLength ?? (o.spans === 'ngram' ? 3 : 10)
  const maskTokens = masker(tokenizer, { ...o, probability: o.maskingProbability, maximumSpanLength })
  const mask = ({ ids }: Item, random = ownRandom(ids), rate?: number): Masked => maskTokens(ids, random, rate)
  const word = (id: number): string => tokenizer.token(id) ?? ''
  const encode = (example: Example): Item => read(tokenizer, textOf(example, o.text), limits)
  const vocabulary = model.vocabularySize ?? tokenizer.vocabularySize
  return {
    views: ['tokens'],
    config: { architectures: [head.architecture] },
    maximumLength,
    init: (key) => initialMaskedHead(model, head, vocabulary, key),
    encode,
    encodeUnlabelled: encode,
    collate: (items, random, { maskingProbability: rate } = {}) => {
      const texts = items.map((item) => mask(item, random, rate?.value))
      return collate(texts, pad, { ...o, maskingProbability: rate?.maximum ?? o.maskingProbability, maximumLength })
    },
    head(params, { lastHiddenState }, mode, { positions, targets }) {
      const rows = { states: hiddenStatesAt(lastHiddenState, positions), targets } // [rows · masked tokens, hidden]
      return tokenLosses((x) => maskedLogits(model, head, params, x), { ...rows, vocabulary, lossOf: ofRows, mode })
    },
    loss: (head, batch) => packedLosses(head.losses, batch),
    predict({ best: { values, shape } }, items) {
      const hidden = items.map((item) => mask(item).positions)
      const from = firstOf(packingOf(o, items), hidden, shape[1]!)
      return hidden.map(({ length }, i) => ({ tokens: Array.from(values.subarray(from[i], from[i]! + length), word) }))
    },
    reference: (item) => ({ tokens: mask(item).targets.map(word) }),
  }
}

/**
 * Masked language modeling: tokens are masked, and the model predicts them from the context on both sides. Masks differ between epochs in
 * training (dynamic masking); in evaluation the mask of a text is always the same. The last layer, which is tied to the word embeddings,
 * is applied to masked positions only. Parameters are named as in transformers' `BertForMaskedLM`.
 *
 *     loss = −Σ_{i ∈ M} log p(x_i | masked text) / |M|,   M: the selected positions
 *
 * The sum over all tokens that some textbooks print is wrong: it rewards copying the visible tokens (Devlin et al., 2019, section 3.1:
 * "we only predict the masked words").
 */
export const maskedLanguageModeling = definePlugin({
  kind: OBJECTIVE,
  name: 'masked-language-modeling',
  summary: 'Masked language modeling: how BERT is pretrained',
  source: 'Devlin et al., BERT, 2019, section 3.1; Joshi et al., SpanBERT, 2020, section 3.1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective masked-language-modeling': typeof maskedLanguageModeling
  }
}

export default maskedLanguageModeling
