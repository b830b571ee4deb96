import {
  type Batch,
  type Encoded,
  type Example,
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
  type TextArrays,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  ownRandom,
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
  toCheckpointNames,
  normal,
  tokenLogits,
  tokenLosses,
} from '@attune/nn'
import { z } from 'zod'
import { type Permuted, type Sampling, mostTargets, permutationMask, permute } from './permutation.js'

/** Token ids of a text. */
interface Item extends Encoded {
  readonly ids: readonly number[]
  readonly typeIds: readonly number[]
}

/** `permutationMask` is int32 `[batch, length, length]`, `targetMapping` `[batch, targets, length]`. */
interface PermutedInputs extends TextArrays {
  readonly permutationMask: HostArray
  readonly targetMapping: HostArray
}

/** `targets` (int32) and `weights` (float32, 0 for padding) are `[batch, targets]`. */
interface PermutedBatch extends Batch {
  readonly inputs: PermutedInputs
  readonly targets: HostArray
  readonly weights: HostArray
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text', required: true }).describe('Field that holds the text'),
  predictedFraction: z
    .number()
    .positive()
    .max(0.5)
    .default(1 / 6)
    .describe('Fraction of the tokens to predict'),
  maximumSpanLength: z.int().min(1).max(100).default(5).describe('Maximum length of a span of predicted tokens'),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

type Options = z.output<typeof options>

const samplingOf = (o: Options): Sampling => ({ probability: o.predictedFraction, spanLength: o.maximumSpanLength })

/** Stacks arrays of `shape` into an int32 array `[rows, …shape]`. */
function stack(rows: readonly ArrayLike<number>[], shape: readonly number[]): HostArray {
  const size = shape.reduce((product, n) => product * n, 1)
  const values = new Int32Array(rows.length * size)
  rows.forEach((row, i) => values.set(row, i * size))
  return { shape: [rows.length, ...shape], dtype: 'int32', values }
}

/** One-hot encoding of the target positions, `count × length`. */
function mappingOf({ positions }: Permuted, count: number, length: number): Uint8Array {
  const mapping = new Uint8Array(count * length)
  for (const [target, position] of positions.entries()) mapping[target * length + position] = 1
  return mapping
}

function collate(items: readonly Item[], rows: readonly Permuted[], pad: number, o: Options, maximum: number) {
  const ids = items.map((item) => item.ids)
  const length = paddedLength(Math.max(...ids.map((row) => row.length)), o.padToMultipleOf, maximum)
  const count = mostTargets(length, samplingOf(o))
  const weights = padTo(
    rows.map(({ positions }) => positions.map(() => 1)),
    count,
    0,
  )
  const types = items.map((item) => item.typeIds)
  const masks = rows.map((row) => permutationMask(row, length))
  const mappings = rows.map((row) => mappingOf(row, count, length))
  return {
    inputs: {
      ...textArrays(ids, length, pad, types),
      permutationMask: stack(masks, [length, length]),
      targetMapping: stack(mappings, [count, length]),
    },
    targets: padTo(
      rows.map(({ targets }) => targets),
      count,
      0,
    ),
    weights: { ...weights, dtype: 'float32' as const, values: Float32Array.from(weights.values) },
  }
}

/** Initial parameters of the head: an output layer over the vocabulary. */
const initialHead = ({ hiddenSize, initializerRange }: Model, vocabulary: number, key: Key): Params => ({
  weight: normal(key, [vocabulary, hiddenSize], initializerRange),
  bias: filledWith([vocabulary], 0),
})

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<Item, PermutedBatch, TokenLosses> {
  const head = headFor(model, 'permutation-language-modeling')
  const ofRows = lossOf(losses, 'labels')
  const limits = lengthsFor(o, model)
  const { maximumLength } = limits
  const permuted = ({ ids }: Item, random = ownRandom(ids)): Permuted => permute(ids, tokenizer, samplingOf(o), random)
  const word = (id: number): string => tokenizer.token(id) ?? ''
  const encode = (example: Example): Item => {
    const { ids, typeIds, truncated } = tokenizer.encode(textOf(example, o.text), limits)
    return { ids, typeIds, truncated, length: ids.length }
  }
  const vocabulary = model.vocabularySize ?? tokenizer.vocabularySize
  return {
    views: ['tokens'],
    config: { architectures: [head.architecture] },
    maximumLength,
    init: (key) => toCheckpointNames(head, initialHead(model, vocabulary, key)),
    encode,
    encodeUnlabelled: encode,
    collate: (items, random) => {
      const rows = items.map((item) => permuted(item, random))
      return collate(items, rows, tokenizer.special.pad ?? 0, o, maximumLength)
    },
    head: (params, { lastHiddenState: states }, mode, { targets }) =>
      tokenLosses((x) => tokenLogits(model, head, params, x), { states, targets, vocabulary, lossOf: ofRows, mode }),
    loss: (head, { weights }) => ({ losses: head.losses, weights }),
    predict: ({ best: { values, shape } }, items) =>
      items.map((item, i) => {
        const from = i * shape[1]!
        return { tokens: Array.from(values.subarray(from, from + permuted(item).positions.length), word) }
      }),
    reference: (item) => ({ tokens: permuted(item).targets.map(word) }),
  }
}

/**
 * Permutation language modeling: some tokens are predicted one after another in a random order, each from all other tokens and from
 * earlier targets. The model must have a query stream, which knows a token's position but not the token. Permutations differ between
 * epochs in training; in evaluation the permutation of a text is always the same. Unlike transformers' collator, which replaces targets
 * by the mask token, this keeps them visible to later targets, as in the paper. Parameters are named as in transformers'
 * `XLNetLMHeadModel`.
 *
 *     loss = −Σ_{t > c} log p(x_{z_t} | x_{z_1}, …, x_{z_{t−1}}) / (T − c),   z: a random order of the positions 1 … T
 *
 * The text itself is not shuffled, and the model does not restore an order, as some textbooks describe it: only the factorization order is
 * permuted, and each token keeps its position (Yang et al., 2019, section 2.2, remark on permutation).
 */
export const permutationLanguageModeling = definePlugin({
  kind: OBJECTIVE,
  name: 'permutation-language-modeling',
  summary: 'Permutation language modeling: how XLNet is pretrained',
  source: 'Yang et al., XLNet, 2019, sections 2 and 3.1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective permutation-language-modeling': typeof permutationLanguageModeling
  }
}

export default permutationLanguageModeling
