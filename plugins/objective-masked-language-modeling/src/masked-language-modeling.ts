import {
  AttuneError,
  type Batch,
  type EncodeOptions,
  type Encoded,
  type Example,
  type Head,
  type HostArray,
  type Key,
  LOSS,
  type LossTerm,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type Params,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
} from '@attune/core'
import {
  type Packing,
  type TextArrays,
  unpackedRows,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  packSequences,
  packedTextArrays,
  padTo,
  paddedLength,
  textArrays,
  textOf,
} from '@attune/data'
import {
  type TokenLosses,
  filledWith,
  headFor,
  lossOf,
  maskedLogits,
  toCheckpointNames,
  normal,
  packedLosses,
  requirePackable,
  hiddenStatesAt,
  tokenLosses,
} from '@attune/nn'
import { z } from 'zod'
import { type Masked, maskTokens, maskedCount, ownRandom } from './mask.js'

/** A text's token ids. */
interface Item extends Encoded {
  readonly ids: readonly number[]
}

/**
 * `places`, `targets` (int32) and `weights` (float32, 0 for padding) are `[rows, hidden tokens]`, as is `examples` (int32): where texts
 * share rows, the position of each token's text in the batch.
 */
interface MaskedBatch extends Batch {
  readonly inputs: TextArrays
  readonly places: HostArray
  readonly targets: HostArray
  readonly weights: HostArray
  readonly examples?: HostArray
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text' }).describe('The field that holds the text'),
  maskingProbability: z
    .number()
    .positive()
    .lt(1)
    .default(0.15)
    .describe('Share of the tokens that are to be found again'),
  wholeWord: z.boolean().default(true).describe('Hide all pieces of a word together'),
  maximumLength: maximumTokens(3),
  packTo: z
    .int()
    .min(3)
    .optional()
    .describe('Short texts share rows of at most so many tokens, and do not see one another; default: a row for each'),
  ...lengthOptions,
})

type Options = z.output<typeof options>

function requireMask({ special }: Tokenizer): void {
  if (special.mask !== undefined) return
  throw new AttuneError(
    'NO_MASK_TOKEN',
    'objective masked-language-modeling: the tokenizer has no token that stands for a hidden one',
    'Use a tokenizer of the BERT kind, or train one: wordpiece adds [MASK].',
  )
}

/** The rows of texts: one for each, or as few as hold them. */
const packingOf = ({ packTo }: Options, texts: readonly { readonly length: number }[]): Packing => {
  const lengths = texts.map(({ length }) => length)
  return packTo === undefined ? unpackedRows(lengths) : packSequences(lengths, packTo)
}

/** What stands in each row of a packing, text after text. */
const joined = <T>({ positions, rows }: Packing, texts: readonly (readonly T[])[]): readonly T[][] => {
  const order = positions.map((_, at) => at).sort((a, b) => positions[a]!.start - positions[b]!.start)
  return Array.from({ length: rows }, (_, row) =>
    order.filter((at) => positions[at]!.row === row).flatMap((at) => texts[at]!),
  )
}

/** Where the hidden tokens of each text begin, of which there are `width` for each row of the batch: behind those of the texts before it. */
function firstOf({ positions }: Packing, hidden: readonly (readonly unknown[])[], width: number): readonly number[] {
  const before = (at: number, other: number): boolean =>
    positions[other]!.row === positions[at]!.row && positions[other]!.start < positions[at]!.start
  const others = (at: number): number =>
    hidden.reduce((sum, { length }, other) => sum + (before(at, other) ? length : 0), 0)
  return positions.map(({ row }, at) => row * width + others(at))
}

/** The most tokens that are hidden in a row of `length`; a text that shares one hides a token at least. */
function hiddenIn(packing: Packing, texts: readonly Masked[], length: number, o: Options): number {
  const most = (tokens: number): number => maskedCount(tokens, { probability: o.maskingProbability })
  if (o.packTo === undefined) return most(length)
  const counts = joined(
    packing,
    texts.map(({ ids }) => [most(ids.length)]),
  ).map((row) => row.reduce((sum, count) => sum + count, 0))
  return paddedLength(Math.max(...counts), o.padToMultipleOf, length)
}

function collate(texts: readonly Masked[], pad: number, o: Options, maximumLength: number): MaskedBatch {
  const ids = texts.map((text) => text.ids)
  const packing = packingOf(o, ids)
  const length = paddedLength(packing.length, o.padToMultipleOf, Math.max(maximumLength, o.packTo ?? 0))
  const count = hiddenIn(packing, texts, length, o)
  const cut = (values: (text: Masked, start: number, at: number) => readonly number[]): HostArray =>
    padTo(
      joined(
        packing,
        texts.map((text, at) => values(text, packing.positions[at]!.start, at)),
      ),
      count,
      0,
    )
  const weights = cut(({ places }) => places.map(() => 1))
  return {
    inputs: o.packTo === undefined ? textArrays(ids, length, pad) : packedTextArrays(ids, packing, length, pad),
    places: cut(({ places }, start) => places.map((place) => start + place)),
    targets: cut(({ targets }) => targets),
    weights: { ...weights, dtype: 'float32', values: Float32Array.from(weights.values) },
    ...(o.packTo === undefined ? {} : { examples: cut(({ places }, _, at) => places.map(() => at)) }),
  }
}

/** Weights of the head, new; the last layer's weight is the word embeddings'. */
const initialise = ({ hiddenSize, initializerRange }: Model, head: Head, vocabulary: number, key: Key): Params => {
  const width = head.width ?? hiddenSize
  return toCheckpointNames(head, {
    'dense.weight': normal(key, [width, hiddenSize], initializerRange),
    'dense.bias': filledWith([width], 0),
    'norm.weight': filledWith([width], 1),
    'norm.bias': filledWith([width], 0),
    bias: filledWith([vocabulary], 0),
  })
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
  const { maximumLength } = limits
  const masking = { probability: o.maskingProbability, wholeWord: o.wholeWord }
  const hide = ({ ids }: Item, random = ownRandom(ids)): Masked => maskTokens(ids, tokenizer, masking, random)
  const word = (id: number): string => tokenizer.token(id) ?? ''
  const encode = (example: Example): Item => read(tokenizer, textOf(example, o.text), limits)
  const vocabulary = model.vocabularySize ?? tokenizer.vocabularySize
  return {
    views: ['tokens'],
    config: { architectures: [head.architecture] },
    maximumLength,
    init: (key) => initialise(model, head, vocabulary, key),
    encode,
    encodeUnlabelled: encode,
    collate: (items, random) => {
      const rows = items.map((item) => hide(item, random))
      return collate(rows, tokenizer.special.pad ?? 0, o, maximumLength)
    },
    head(params, { lastHiddenState }, _mode, { places, targets }) {
      const states = hiddenStatesAt(lastHiddenState, places) // [rows · hidden tokens, hidden]
      return tokenLosses((x) => maskedLogits(model, head, params, x), { states, targets, vocabulary, lossOf: ofRows })
    },
    loss: (head, batch) => packedLosses(head.losses, batch),
    predict({ best: { values, shape } }, items) {
      const hidden = items.map((item) => hide(item).places)
      const from = firstOf(packingOf(o, items), hidden, shape[1]!)
      return hidden.map(({ length }, i) => ({ tokens: Array.from(values.subarray(from[i], from[i]! + length), word) }))
    },
    reference: (item) => ({ tokens: hide(item).targets.map(word) }),
  }
}

/**
 * Masked language modelling: tokens are hidden, and the model is to say what stood there, from both sides. Masks differ
 * from epoch to epoch in training; in evaluation a text's mask is always the same. Only the hidden places go through the
 * last layer, whose weight is that of the word embeddings. Named as in the Hugging Face library's `BertForMaskedLM`.
 */
export const maskedLanguageModeling = definePlugin({
  kind: OBJECTIVE,
  name: 'masked-language-modeling',
  summary: 'Words that are hidden are to be found again: how BERT is pretrained',
  source: 'Devlin et al., BERT, 2019, section 3.1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
export default maskedLanguageModeling
