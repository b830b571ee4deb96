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

/** The token ids of what is read and of what is to be written; none of these where the target is not known. */
interface Item extends Encoded {
  readonly ids: readonly number[]
  readonly target: readonly number[]
}

/** What the encoder reads, `[batch, length]`, and the decoder, `[batch, targetLength]`. */
interface TwoTexts extends TextArrays {
  readonly decoderInputIds: HostArray
  readonly decoderAttentionMask: HostArray
}

/** `targets` (int32) are the tokens to be written, `weights` (float32) 0 for padding; both `[batch, targetLength]`. */
interface TargetBatch extends Batch {
  readonly inputs: TwoTexts
  readonly targets: HostArray
  readonly weights: HostArray
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text' }).describe('The field that holds the text to read'),
  target: z.string().default('target').meta({ field: 'text' }).describe('The field that holds the text to write'),
  maximumLength: maximumTokens(2, 'the text to read'),
  maximumTargetLength: maximumTokens(2, 'the text to write'),
  ...lengthOptions,
  truncationSide: lengthOptions.truncationSide.describe(
    "The end that is cut off a text to read that is too long; the default is the tokenizer's",
  ),
})

type Options = z.output<typeof options>

/** What rows become batches with. */
interface Layout {
  readonly pad: number
  /** The token that the decoder begins with. */
  readonly start: number
  readonly multiple: number
  readonly maximumLength: number
  readonly maximumTargetLength: number
}

/** A text's tokens, and the one that ends it where the template has not put it there; cut to the length. */
function encode({ encode: tokens, special }: Tokenizer, text: string, maximumLength: number, truncationSide?: Side) {
  const { ids, truncated } = tokens(text, { maximumLength, truncationSide })
  const open = special.end !== undefined && ids.at(-1) !== special.end && !truncated
  return { ids: open ? [...ids, special.end as number].slice(0, maximumLength) : ids, truncated }
}

/** The decoder reads its targets one place later, after its start token; of an unknown target that token alone. */
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

/** The layout that the options, the model and the tokenizer come to. */
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
        fixedBias: filledWith([1, vocabulary], 0), // as checkpoints of BART and its kin have it
      }),
    encode(example) {
      const item = read(example)
      const { target = tokenizer } = tokenizer
      const { ids, truncated } = encode(target, textOf(example, o.target), layout.maximumTargetLength)
      return { ...item, target: ids, truncated: item.truncated || truncated }
    },
    encodeUnlabelled: read,
    collate: (items) => collate(items, layout),
    head(params, { lastHiddenState: states, tokenLogits: own }, _mode, { targets }) {
      if (own !== undefined) return lossesFromLogits(own, targets, ofRows)
      return tokenLosses((x) => tokenLogits(model, head, params, x), { states, targets, vocabulary, lossOf: ofRows })
    },
    loss: (head, { weights }) => ({ losses: head.losses, weights }),
    predict: ({ best: { values, shape } }, items) =>
      items.map(({ target }, i) => ({ tokens: words(values.subarray(i * shape[1]!, i * shape[1]! + target.length)) })),
    reference: ({ target }) => ({ tokens: words(target) }),
  }
}

/**
 * Sequence to sequence: the model reads a text and is to write another, of which it is told each token after it has said
 * which it expects. The loss is over the tokens of the target, its end included and padding left out. Logits stay on the
 * device: what comes back from an evaluation is the likeliest token at each place, given the true ones before it.
 */
export const sequenceToSequence = definePlugin({
  kind: OBJECTIVE,
  name: 'sequence-to-sequence',
  summary: 'One text is to be written from another: how T5 and BART are fine-tuned',
  source: 'Sutskever et al., Sequence to Sequence Learning with Neural Networks, 2014, section 2',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
export default sequenceToSequence
