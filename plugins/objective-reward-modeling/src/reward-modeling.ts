import {
  type Batch,
  type Encoded,
  type Example,
  type HostArray,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
  scheduled,
} from '@attune/core'
import {
  type TextArrays,
  completionLengthOptions,
  lengthsFor,
  numberOf,
  paddedLength,
  textArrays,
  textOf,
} from '@attune/data'
import { classifier, logSigmoid } from '@attune/nn'
import {
  type CompletionLimits,
  type PromptedCompletions,
  completionTokens,
  joinCompletion,
  preferenceOf,
  promptedCompletion,
} from '@attune/text'
import { type Tensor, add, mul, neg, onesLike, slice, square, squeeze, sub, zerosLike } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  margin: z
    .string()
    .optional()
    .describe(
      'Field that holds by how much the reward of the chosen text should exceed that of the rejected one. Default: no margin',
    ),
  centering: scheduled(z.number().min(0).default(0)).describe(
    'Weight of the squared sum of the two rewards, which keeps their mean near 0; 0.01 is common',
  ),
  ...completionLengthOptions,
})

type Options = z.output<typeof options>

/** The token ids of a text, and of the rejected text of its pair, if any. */
interface Item extends Encoded {
  readonly ids: readonly number[]
  readonly rejected?: readonly number[]
  readonly margin: number
}

/** Rows are the chosen texts and then, if the items are pairs, the rejected ones: `[2 · pairs, length]`. */
interface RewardBatch extends Batch {
  readonly inputs: TextArrays
  /** Margins of the pairs, 0 for the other rows; float32 `[2 · pairs]`. */
  readonly margins: HostArray
  /** Present for single texts, which have no loss; int32 `[texts]`. */
  readonly unpaired?: HostArray
}

/** Encodes the texts of a row: a pair, or one completion or text to be rewarded. */
function encoder(tokenizer: Tokenizer, limits: CompletionLimits) {
  const idsOf = (row: PromptedCompletions) => {
    const { prompt, completions } = completionTokens(tokenizer, row)
    return completions.map((each) => joinCompletion(prompt, each, limits))
  }
  return {
    pair(example: Example, margin: number): Item {
      const [chosen, rejected] = idsOf(preferenceOf(example))
      const length = Math.max(chosen!.length, rejected!.length)
      return {
        ...chosen!,
        rejected: rejected!.ids,
        length,
        truncated: chosen!.truncated || rejected!.truncated,
        margin,
      }
    },
    single(example: Example): Item {
      const isPrompted = Object.hasOwn(example, 'completion')
      const row = isPrompted ? promptedCompletion(example) : { prompt: '', completions: [textOf(example, 'text')] }
      return { ...idsOf(row)[0]!, margin: 0 }
    },
  }
}

function collate(items: readonly Item[], pad: number, multiple: number, maximum: number): RewardBatch {
  const isPaired = items.some(({ rejected }) => rejected !== undefined)
  const rows = [...items.map(({ ids }) => ids), ...(isPaired ? items.map(({ ids, rejected = ids }) => rejected) : [])]
  const length = paddedLength(Math.max(...rows.map((ids) => ids.length)), multiple, maximum)
  const margins = Float32Array.from(rows, (_, i) => items[i]?.margin ?? 0)
  const shape = [rows.length]
  return {
    inputs: textArrays(rows, length, pad),
    margins: { shape, dtype: 'float32', values: margins },
    ...(isPaired ? {} : { unpaired: { shape, dtype: 'int32' as const, values: new Int32Array(rows.length).fill(1) } }),
  }
}

/** Rewards of the texts of each item, and for a pair their margin and the preferred one. */
function predict({ values }: HostArray, items: readonly Item[]) {
  return items.map(({ rejected }, i) => {
    const reward = values[i]!
    if (rejected === undefined) return { reward }
    const other = values[items.length + i]!
    return { label: reward > other ? 'chosen' : 'rejected', reward, rejected: other, margin: reward - other }
  })
}

function create(
  o: Options,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<Item, RewardBatch, Tensor> {
  const head = classifier(model, 'sequence-classification', 1)
  const limits = { ...o, ...lengthsFor({ ...o, truncationSide: o.truncationSide ?? tokenizer.truncationSide }, model) }
  const { pair, single } = encoder(tokenizer, limits)
  return {
    views: ['label'],
    config: { architectures: [head.architecture], id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } },
    maximumLength: limits.maximumLength,
    init: head.init,
    encode: (example) => pair(example, o.margin === undefined ? 0 : numberOf(example, o.margin, 'margin')),
    encodeUnlabelled: (example) =>
      Object.hasOwn(example, 'chosen') && Object.hasOwn(example, 'rejected') ? pair(example, 0) : single(example),
    collate: (items) => collate(items, tokenizer.special.pad ?? 0, o.padToMultipleOf, limits.maximumLength),
    head: (params, { pooled }, mode) => squeeze(head.forward(params, pooled, mode), [1]),
    loss(rewards, { margins, unpaired }) {
      if (unpaired !== undefined) return { losses: zerosLike(rewards), weights: zerosLike(rewards) }
      const pairs = (rewards.shape[0] as number) / 2
      const [chosen, rejected] = [slice(rewards, [0], [pairs]), slice(rewards, [pairs], [pairs])]
      const ranked = neg(logSigmoid(sub(sub(chosen, rejected), slice(margins, [0], [pairs]))))
      const losses = o.centering === 0 ? ranked : add(ranked, mul(o.centering, square(add(chosen, rejected))))
      return { losses, weights: onesLike(losses) }
    },
    predict,
    reference: () => ({ label: 'chosen' }),
  }
}

/**
 * Reward modeling: one number for a text, so that chosen texts get larger rewards than rejected ones (the Bradley–Terry model).
 *
 *     loss = −ln σ(r(x, y⁺) − r(x, y⁻) − margin) + centering · (r(x, y⁺) + r(x, y⁻))²
 *
 * The reward is a linear layer on the model's pooled output, of a decoder the last token. A row has `chosen` and `rejected`, optionally
 * after a `prompt`: texts, or lists of messages. Predictions have the view `reward`; they also accept rows of one `text`, or of `prompt` and
 * `completion`. Parameters are named as in transformers' `…ForSequenceClassification` with one label.
 */
export const rewardModeling = definePlugin({
  kind: OBJECTIVE,
  name: 'reward-modeling',
  summary: 'Reward modeling (Bradley–Terry): a scalar reward trained on pairs of a chosen and a rejected text',
  source: 'Ouyang et al., Training Language Models to Follow Instructions with Human Feedback, 2022, equation 1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective reward-modeling': typeof rewardModeling
  }
}

export default rewardModeling
