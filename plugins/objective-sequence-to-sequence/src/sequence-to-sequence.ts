import {
  type Batch,
  type Encoded,
  type Example,
  type HostArray,
  LOSS,
  type LossTerm,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type Side,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
} from '@attune/core'
import {
  type TextArrays,
  attentionMask,
  lengthOptions,
  maximumTokens,
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
  lossesFromLogits,
  toCheckpointNames,
  normal,
  tokenLogits,
  tokenLosses,
} from '@attune/nn'
import { z } from 'zod'

/** Token ids of the source and of the target; the latter are empty if the target is unknown. */
interface Item extends Encoded {
  readonly ids: readonly number[]
  readonly target: readonly number[]
}

/** Inputs of the encoder, `[batch, length]`, and of the decoder, `[batch, targetLength]`. */
interface TwoTexts extends TextArrays {
  readonly decoderInputIds: HostArray
  readonly decoderAttentionMask: HostArray
}

/** `targets` (int32) are the tokens to generate, `weights` (float32) 0 for padding; both `[batch, targetLength]`. */
interface TargetBatch extends Batch {
  readonly inputs: TwoTexts
  readonly targets: HostArray
  readonly weights: HostArray
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text' }).describe('Field that holds the source text'),
  target: z.string().default('target').meta({ field: 'text' }).describe('Field that holds the target text'),
  maximumLength: maximumTokens(2, 'the source text'),
  maximumTargetLength: maximumTokens(2, 'the target text'),
  ...lengthOptions,
  truncationSide: lengthOptions.truncationSide.describe(
    "Side on which a source text that is too long is truncated. Default: the tokenizer's",
  ),
})

type Options = z.output<typeof options>

/** Settings of the batches. */
interface Layout {
  readonly pad: number
  /** Token that the decoder starts with. */
  readonly start: number
  readonly multiple: number
  readonly maximumLength: number
  readonly maximumTargetLength: number
}

/** Token ids of a text, with the end token if the tokenizer does not append it, truncated to the maximum length. */
function encode({ encode: tokens, special }: Tokenizer, text: string, maximumLength: number, truncationSide?: Side) {
  const { ids, truncated } = tokens(text, { maximumLength, truncationSide })
  const open = special.end !== undefined && ids.at(-1) !== special.end && !truncated
  return { ids: open ? [...ids, special.end as number].slice(0, maximumLength) : ids, truncated }
}

/** The decoder reads its targets shifted right by one position, after the start token; without a target only that token. */
function collate(items: readonly Item[], { pad, start, multiple, ...maximum }: Layout): TargetBatch {
  const longest = (rows: readonly (readonly number[])[]): number => Math.max(...rows.map((row) => row.length))
  const [texts, targets] = [items.map(({ ids }) => ids), items.map(({ target }) => target)]
  const length = paddedLength(longest(targets), multiple, maximum.maximumTargetLength)
  const read = targets.map((row) => [start, ...row.slice(0, -1)])
  const weights = attentionMask(targets, length)
  return {
    inputs: {
      ...textArrays(texts, paddedLength(longest(texts), multiple, maximum.maximumLength), pad),
      decoderInputIds: padTo(read, length, pad),
      decoderAttentionMask: attentionMask(read, length),
    },
    targets: padTo(targets, length, 0),
    weights: { ...weights, dtype: 'float32', values: Float32Array.from(weights.values) },
  }
}

/** The layout for the given options, model and tokenizer. */
const layoutFor = (o: Options, model: Model, tokenizer: Tokenizer): Layout => ({
  pad: tokenizer.special.pad ?? 0,
  start: Number(model.config['decoder_start_token_id'] ?? 0),
  multiple: o.padToMultipleOf,
  maximumLength: Math.min(o.maximumLength ?? model.maximumLength, model.maximumLength),
  maximumTargetLength: Math.min(o.maximumTargetLength ?? model.maximumLength, model.maximumLength),
})

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<Item, TargetBatch, TokenLosses> {
  const head = headFor(model, 'sequence-to-sequence')
  const ofRows = lossOf(losses, 'labels')
  const vocabulary = model.vocabularySize ?? tokenizer.vocabularySize
  const layout = layoutFor(o, model, tokenizer)
  const read = (example: Example): Item => {
    const { ids, truncated } = encode(tokenizer, textOf(example, o.text), layout.maximumLength, o.truncationSide)
    return { ids, target: [], length: ids.length, truncated }
  }
  const words = (ids: Iterable<number>): string[] => Array.from(ids, (id) => tokenizer.token(id) ?? '')
  return {
    views: ['tokens'],
    config: { architectures: [head.architecture] },
    maximumLength: layout.maximumLength,
    init: (key) =>
      toCheckpointNames(head, {
        weight: normal(key, [vocabulary, model.hiddenSize], model.initializerRange),
        fixedBias: filledWith([1, vocabulary], 0), // as in checkpoints of BART and its relatives
      }),
    encode(example) {
      const item = read(example)
      const { target = tokenizer } = tokenizer
      const { ids, truncated } = encode(target, textOf(example, o.target), layout.maximumTargetLength)
      return { ...item, target: ids, truncated: item.truncated || truncated }
    },
    encodeUnlabelled: read,
    collate: (items) => collate(items, layout),
    head(params, { lastHiddenState: states, tokenLogits: own }, mode, { targets }) {
      if (own !== undefined) return lossesFromLogits(own, targets, ofRows, mode)
      const rows = { states, targets, vocabulary, lossOf: ofRows, mode }
      return tokenLosses((x) => tokenLogits(model, head, params, x), rows)
    },
    loss: (head, { weights }) => ({ losses: head.losses, weights }),
    predict: ({ best: { values, shape } }, items) =>
      items.map(({ target }, i) => ({ tokens: words(values.subarray(i * shape[1]!, i * shape[1]! + target.length)) })),
    reference: ({ target }) => ({ tokens: words(target) }),
  }
}

/**
 * Sequence-to-sequence learning with teacher forcing: the model reads a source text and predicts each token of the target text, given the
 * true ones before it. The loss covers the target tokens, including the end token and excluding padding. Logits stay on the device: an
 * evaluation returns the argmax prediction at each position, given the true tokens before it.
 */
export const sequenceToSequence = definePlugin({
  kind: OBJECTIVE,
  name: 'sequence-to-sequence',
  summary: 'Sequence-to-sequence learning: generate a target text from a source text, as T5 and BART are fine-tuned',
  source: 'Sutskever et al., Sequence to Sequence Learning with Neural Networks, 2014, section 2',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective sequence-to-sequence': typeof sequenceToSequence
  }
}

export default sequenceToSequence
