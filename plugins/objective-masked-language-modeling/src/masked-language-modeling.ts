import {
  AttuneError,
  type Batch,
  type EncodeOptions,
  type Encoded,
  type Example,
  type Head,
  type HostArray,
  type Key,
  type Loss,
  MODEL,
  type Model,
  OBJECTIVE,
  type OnDevice,
  type Objective,
  type Params,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
} from '@attune/core'
import {
  type Packing,
  type TextArrays,
  eachInItsRow,
  lengthOptions,
  mostTokens,
  packSequences,
  packedTextArrays,
  padTo,
  paddedLength,
  textArrays,
  textOf,
} from '@attune/data'
import {
  activation,
  crossEntropy,
  filled,
  headFor,
  layerNorm,
  linear,
  nameParts,
  normal,
  partsIn,
  requirePackable,
  takeRows,
} from '@attune/nn'
import { type Tensor, add, matMul, mul, range, reshape, sum } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { type Masked, maskTokens, maskedCount, ownRandom } from './mask.js'

/** A text's token ids. */
interface Item extends Encoded {
  readonly ids: readonly number[]
}

/** `places`, `targets` (int32) and `weights` (float32, 0 for padding) are `[rows, hidden tokens]`. */
interface MaskedBatch extends Batch {
  readonly inputs: TextArrays
  readonly places: HostArray
  readonly targets: HostArray
  readonly weights: HostArray
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: true }).describe('The field that holds the text'),
  maskingProbability: z
    .number()
    .positive()
    .lt(1)
    .default(0.15)
    .describe('Share of the tokens that are to be found again'),
  wholeWord: z.boolean().default(true).describe('Hide all pieces of a word together'),
  maximumLength: mostTokens(3),
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
  return packTo === undefined ? eachInItsRow(lengths) : packSequences(lengths, packTo)
}

/** What stands in each row of a packing, text after text. */
const joined = <T>({ places, rows }: Packing, texts: readonly (readonly T[])[]): readonly T[][] => {
  const order = places.map((_, at) => at).sort((a, b) => places[a]!.start - places[b]!.start)
  return Array.from({ length: rows }, (_, row) =>
    order.filter((at) => places[at]!.row === row).flatMap((at) => texts[at]!),
  )
}

/**
 * The first row of each text's logits, of which there are `width` for each row of the batch: behind those of the texts that
 * stand before it.
 */
function rowsOf({ places }: Packing, hidden: readonly (readonly unknown[])[], width: number): readonly number[] {
  const before = (at: number, other: number): boolean =>
    places[other]!.row === places[at]!.row && places[other]!.start < places[at]!.start
  const others = (at: number): number =>
    hidden.reduce((sum, { length }, other) => sum + (before(at, other) ? length : 0), 0)
  return places.map(({ row }, at) => row * width + others(at))
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
  const cut = (values: (text: Masked, start: number) => readonly number[]): HostArray =>
    padTo(
      joined(
        packing,
        texts.map((text, at) => values(text, packing.places[at]!.start)),
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
  }
}

/** The hidden states at the hidden places, `[batch · hidden tokens, hidden]`. */
function statesAt(states: Tensor, places: Tensor): Tensor {
  const [batch, length, hidden] = states.shape as [number, number, number]
  const starts = reshape(range(0, batch * length, length, 'int32'), [batch, 1])
  return takeRows(reshape(states, [batch * length, hidden]), reshape(add(places, starts), [-1]))
}

/** Dense, activation, norm, and the word embeddings once more as the last layer: logits `[…, vocabulary]`. */
function decode(params: Params, model: Model, head: Head, states: Tensor): Tensor {
  const own = partsIn(head, params)
  const dense = linear(own, 'dense', states, { bias: 'dense.bias' in own })
  const active = activation(head.activation ?? 'gelu')(dense)
  const normal = layerNorm(own, 'norm', active, head.epsilon ?? 1e-12, { bias: 'norm.bias' in own })
  const logits = matMul(normal, params[model.wordEmbeddings]!, false, true)
  return own['bias'] === undefined ? logits : add(logits, own['bias'])
}

/** Cross-entropy over the hidden places; `logits` are `[batch, hidden tokens, vocabulary]`. */
function loss(logits: Tensor, { targets, weights }: OnDevice<MaskedBatch>): Loss {
  const losses = crossEntropy(reshape(logits, [-1, logits.shape.at(-1)!]), reshape(targets, [-1]))
  return { sum: sum(mul(losses, reshape(weights, [-1]))), weight: sum(weights) }
}

/** The index of the greatest number in row `i` of `[rows, size]`. */
function best({ values, shape }: HostArray, i: number): number {
  const size = shape.at(-1)!
  const row = values.subarray(i * size, (i + 1) * size)
  return row.indexOf(Math.max(...row))
}

/** Weights of the head, new; the last layer's weight is the word embeddings'. */
const initialise = ({ hiddenSize, initializerRange }: Model, head: Head, vocabulary: number, key: Key): Params => {
  const width = head.width ?? hiddenSize
  return nameParts(head, {
    'dense.weight': normal(key, [width, hiddenSize], initializerRange),
    'dense.bias': filled([width], 0),
    'norm.weight': filled([width], 1),
    'norm.bias': filled([width], 0),
    bias: filled([vocabulary], 0),
  })
}

function read({ encode }: Tokenizer, text: string, options: EncodeOptions): Item {
  const { ids, truncated } = encode(text, options)
  return { ids, truncated, length: ids.length }
}

function create(
  o: Options,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<Item, MaskedBatch, Tensor> {
  requireMask(tokenizer)
  if (o.packTo !== undefined) requirePackable(model, o.packTo, 'objective masked-language-modeling')
  const head = headFor(model, 'masked-language-modeling')
  const maximumLength = Math.min(o.maximumLength ?? model.maximumLength, model.maximumLength)
  const limits = { maximumLength, truncationSide: o.truncationSide }
  const masking = { probability: o.maskingProbability, wholeWord: o.wholeWord }
  const hide = ({ ids }: Item, random = ownRandom(ids)): Masked => maskTokens(ids, tokenizer, masking, random)
  const word = (id: number): string => tokenizer.token(id) ?? ''
  const encode = (example: Example): Item => read(tokenizer, textOf(example, o.text), limits)
  const vocabulary = Number(model.config['vocab_size'] ?? tokenizer.vocabularySize)
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
    head: (params, { lastHiddenState }, _mode, { places }) => {
      const logits = decode(params, model, head, statesAt(lastHiddenState, places))
      return reshape(logits, [...places.shape, vocabulary])
    },
    loss,
    predict: (logits, items) => {
      const hidden = items.map((item) => hide(item).places)
      const rows = rowsOf(packingOf(o, items), hidden, logits.shape[1]!)
      return hidden.map((places, i) => ({ tokens: places.map((_, at) => word(best(logits, rows[i]! + at))) }))
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
  needs: { model: MODEL, tokenizer: TOKENIZER },
  create: (o, given) => create(o, given) as unknown as Objective,
})
export default maskedLanguageModeling
