import {
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
  type Packing,
  type TextArrays,
  unpackedRows,
  fillRows,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  packSequences,
  packedTextArrays,
  paddedLength,
  textArrays,
  textOf,
} from '@attune/data'
import {
  type TokenLosses,
  headFor,
  lossOf,
  toCheckpointNames,
  normal,
  packedLosses,
  requirePackable,
  tokenLogits,
  tokenLosses,
} from '@attune/nn'
import { z } from 'zod'

/** Token ids of a text. */
interface Item extends Encoded {
  readonly ids: readonly number[]
}

/**
 * `targets` (int32) are the next tokens, `weights` (float32) 0 where there is none; both `[rows, length]`, as is `examples` (int32), for
 * packed rows: the index in the batch of the text that each token belongs to.
 */
interface NextTokenBatch extends Batch {
  readonly inputs: TextArrays
  readonly targets: HostArray
  readonly weights: HostArray
  readonly examples?: HostArray
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text', required: true }).describe('Field that holds the text'),
  maximumLength: maximumTokens(2),
  packTo: z
    .int()
    .min(2)
    .optional()
    .describe(
      'Pack short texts into rows of at most this many tokens, without attention between texts. Default: one text per row',
    ),
  ...lengthOptions,
})

type Options = z.output<typeof options>

/** Token ids of a text, with the end token if the tokenizer does not append it, truncated to the maximum length. */
function encode({ encode: tokens, special }: Tokenizer, text: string, options: EncodeOptions): Item {
  const { maximumLength = Infinity } = options
  const { ids: read, truncated } = tokens(text, options)
  const isOpen = special.end !== undefined && read.at(-1) !== special.end
  // A text truncated on the left keeps its end.
  const room = truncated && options.truncationSide === 'left' ? maximumLength - 1 : undefined
  if (isOpen && room !== undefined) {
    const ids = [...tokens(text, { ...options, maximumLength: room }).ids, special.end as number]
    return { ids, length: ids.length, truncated }
  }
  const ids = isOpen && !truncated ? [...read, special.end as number].slice(0, maximumLength) : [...read]
  return { ids, length: ids.length, truncated }
}

/** The assignment of texts to rows: one text per row, or packed into as few rows as the heuristic finds. */
const packingOf = ({ packTo }: Options, items: readonly Encoded[]): Packing => {
  const lengths = items.map(({ length }) => length)
  return packTo === undefined ? unpackedRows(lengths) : packSequences(lengths, packTo)
}

/** The index of each text, repeated for each of its tokens. */
const textIndices = (texts: readonly (readonly number[])[]): readonly number[][] =>
  texts.map((tokens, at) => tokens.map(() => at))

function collate(items: readonly Item[], pad: number, o: Options, maximum: number): NextTokenBatch {
  const texts = items.map(({ ids }) => ids)
  const packing = packingOf(o, items)
  const length = paddedLength(packing.length, o.padToMultipleOf, Math.max(maximum, o.packTo ?? 0))
  const next = texts.map((ids) => ids.slice(1))
  const ones = next.map((ids) => ids.map(() => 1))
  const weights = fillRows(ones, packing, length, 0)
  return {
    inputs: o.packTo === undefined ? textArrays(texts, length, pad) : packedTextArrays(texts, packing, length, pad),
    targets: fillRows(next, packing, length, 0),
    weights: { ...weights, dtype: 'float32', values: Float32Array.from(weights.values) },
    ...(o.packTo === undefined ? {} : { examples: fillRows(textIndices(next), packing, length, 0) }),
  }
}

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<Item, NextTokenBatch, TokenLosses> {
  if (o.packTo !== undefined) requirePackable(model, o.packTo, 'objective causal-language-modeling')
  const limits = lengthsFor({ ...o, truncationSide: o.truncationSide ?? tokenizer.truncationSide }, model)
  const { maximumLength } = limits
  const head = headFor(model, 'causal-language-modeling')
  const ofRows = lossOf(losses, 'labels')
  const vocabulary = model.vocabularySize ?? tokenizer.vocabularySize
  const read = (example: Example): Item => encode(tokenizer, textOf(example, o.text), limits)
  const word = (id: number): string => tokenizer.token(id) ?? ''
  return {
    views: ['tokens'],
    config: { architectures: [head.architecture] },
    maximumLength,
    init: (key) =>
      toCheckpointNames(head, { weight: normal(key, [vocabulary, model.hiddenSize], model.initializerRange) }),
    encode: read,
    encodeUnlabelled: read,
    collate: (items) => collate(items, tokenizer.special.pad ?? 0, o, maximumLength),
    head: (params, { lastHiddenState }, _mode, { targets }) =>
      tokenLosses((x) => tokenLogits(model, head, params, x), {
        states: lastHiddenState,
        targets,
        vocabulary,
        lossOf: ofRows,
      }),
    loss: (head, batch) => packedLosses(head.losses, batch),
    predict: ({ best: { values, shape } }, items) =>
      packingOf(o, items).positions.map(({ row, start }, i) => {
        const { ids } = items[i]!
        const from = row * shape[1]! + start
        return { tokens: Array.from(values.subarray(from, from + ids.length - 1), word) }
      }),
    reference: ({ ids }) => ({ tokens: ids.slice(1).map(word) }),
  }
}

/**
 * Causal language modeling (next-token prediction): at each token of a text, the model predicts the next one. The loss covers all tokens
 * except the first and padding; its mean is the logarithm of the perplexity. Logits stay on the device: an evaluation returns the argmax
 * prediction at each position.
 */
export const causalLanguageModeling = definePlugin({
  kind: OBJECTIVE,
  name: 'causal-language-modeling',
  summary: 'Causal language modeling (next-token prediction): how GPT is pretrained',
  source: 'Radford et al., Improving Language Understanding by Generative Pre-Training, 2018, section 3.1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective causal-language-modeling': typeof causalLanguageModeling
  }
}

export default causalLanguageModeling
