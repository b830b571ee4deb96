import {
  type Example,
  type HostArray,
  type Losses,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type OnDevice,
  TOKENIZER,
  type Tokenizer,
  type TrainingContext,
  type Tree,
  definePlugin,
  scheduled,
} from '@attune/core'
import {
  type NextTokenBatch,
  type NextTokenItem,
  type NextTokenSettings,
  completionLengthOptions,
  lengthsFor,
  nextTokens,
} from '@attune/data'
import { completionLogProbs, nextTokenHead } from '@attune/nn'
import { type CompletionLimits, completionTokens, joinCompletion, preferenceOf } from '@attune/text'
import { type Tensor, mul, onesLike, slice, sub, zerosLike } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { preferenceLoss, preferenceLossNames } from './preference-losses.js'

const options = z
  .strictObject({
    loss: z
      .enum(preferenceLossNames)
      .default('sigmoid')
      .describe(
        'Loss of a pair: sigmoid (DPO), hinge, ipo and robust compare with the model before training; simpo, cpo and orpo need no reference model',
      ),
    beta: scheduled(z.number().positive().optional()).describe(
      'Scale of the rewards; with a reference model, a larger value keeps the model closer to it. Default: 0.1; simpo: 2',
    ),
    labelSmoothing: scheduled(z.number().min(0).lt(0.5).default(0)).describe(
      'Assumed fraction of pairs with flipped labels, for sigmoid, robust, simpo and cpo',
    ),
    margin: scheduled(z.number().min(0).optional()).describe('Target reward margin of simpo. Default: 1'),
    likelihoodWeight: z
      .number()
      .min(0)
      .optional()
      .describe(
        'Weight of the negative log-likelihood of the chosen text, added to the loss. Default: 0; cpo and orpo: 1',
      ),
    ...completionLengthOptions,
  })
  .refine((o) => o.labelSmoothing === 0 || preferenceLoss(o.loss).smooths, {
    path: ['labelSmoothing'],
    message: 'only the losses sigmoid, robust, simpo and cpo have label smoothing',
  })
  .refine((o) => o.margin === undefined || o.loss === 'simpo', {
    path: ['margin'],
    message: 'only the loss simpo has a target margin',
  })

type Options = z.output<typeof options>

/** The chosen and the rejected text of a pair, each with its prompt. */
interface Pair extends NextTokenItem {
  readonly rejected: NextTokenItem
}

/** Rows are the chosen texts, then the rejected ones, in the same order: `[2 · pairs, length]`. */
interface PairBatch extends NextTokenBatch {
  /** Weights of the likelihood term, float32 `[2 · pairs, length]`; 0 for rejected texts. Absent without the term. */
  readonly likelihood?: HostArray
  /** Outputs of the head of the reference model, if there is one. */
  readonly reference?: { readonly scores: HostArray }
}

/** Outputs of the head, float32 `[2 · pairs]`. */
interface PairOutputs extends Record<string, Tree> {
  /** Log-probabilities of the completions (means per token for ipo, simpo and orpo), minus those of the reference model, if any. */
  readonly scores: Tensor
  /** Mean log-likelihoods per token of the likelihood term; 0 without it. */
  readonly likelihoods: Tensor
}

type Language = ReturnType<typeof nextTokenHead>

/** Rows of one half of a batch: `[2 · pairs, …]` to `[pairs, …]`. */
function half(x: Tensor, index: 0 | 1): Tensor {
  const pairs = (x.shape[0] as number) / 2
  const others = x.shape.slice(1)
  return slice(x, [index * pairs, ...others.map(() => 0)], [pairs, ...others])
}

/** Collates pairs; the likelihood term covers the chosen completions, for ORPO with their prompts. */
function collator(loss: Options['loss'], settings: NextTokenSettings, likelihoodWeight: number) {
  const { collate } = nextTokens(settings)
  const full = ({ ids, ...item }: NextTokenItem): NextTokenItem => ({ ...item, ids, trained: ids.map(() => 1) })
  return (pairs: readonly Pair[]): PairBatch => {
    const rows = [...pairs, ...pairs.map(({ rejected }) => rejected)]
    const batch = collate(rows)
    if (likelihoodWeight === 0) return batch
    const { weights } = loss === 'orpo' ? collate(rows.map(full)) : batch
    const chosen = weights.values.slice().fill(0, weights.values.length / 2)
    return { ...batch, likelihood: { ...weights, values: chosen } }
  }
}

/** Encodes the pair of an example; both completions are truncated to the limits. */
const encoder =
  (tokenizer: Tokenizer, limits: CompletionLimits) =>
  (example: Example): Pair => {
    const { prompt, completions } = completionTokens(tokenizer, preferenceOf(example))
    const [chosen, rejected] = completions.map((each) => joinCompletion(prompt, each, limits))
    const length = Math.max(chosen!.length, rejected!.length)
    return { ...chosen!, rejected: rejected!, length, truncated: chosen!.truncated || rejected!.truncated }
  }

/** The rewards of the two completions of each pair, the margin between them, and the preferred one. */
function predict({ values }: HostArray, pairs: readonly Pair[], beta: number) {
  return pairs.map((_, i) => {
    const [chosen, rejected] = [beta * values[i]!, beta * values[pairs.length + i]!]
    return { label: chosen > rejected ? 'chosen' : 'rejected', chosen, rejected, margin: chosen - rejected }
  })
}

/** The functions of the scores of a batch. */
function scoring(o: Options) {
  const of = preferenceLoss(o.loss)
  const { beta = of.beta, margin = 1, likelihoodWeight = of.likelihoodWeight } = o
  return {
    beta,
    likelihoodWeight,
    needsReference: of.needsReference,
    /** Outputs of the head from per-token losses `[2 · pairs, length]`. */
    outputs(losses: Tensor, { weights, likelihood, reference }: OnDevice<PairBatch>): PairOutputs {
      const logProbs = completionLogProbs(losses, weights, of.averages)
      return {
        scores: reference === undefined ? logProbs : sub(logProbs, reference.scores),
        likelihoods: likelihood === undefined ? zerosLike(logProbs) : completionLogProbs(losses, likelihood, true),
      }
    },
    /** Preference losses, `[pairs]`. */
    losses(scores: Tensor): Losses {
      const losses = of.losses(half(scores, 0), half(scores, 1), { ...o, beta, margin })
      return { losses, weights: onesLike(losses) }
    },
  }
}

/**
 * The training loss with the likelihood term: its mean is over all tokens of the batch, not over pairs, so the two losses have weights of
 * their own.
 */
const withLikelihood =
  ({ outputs, losses, likelihoodWeight, needsReference }: ReturnType<typeof scoring>, language: Language) =>
  ({ params, mode, forward, models }: TrainingContext, batch: OnDevice<PairBatch>) => {
    const inputs = batch.inputs
    const tokens = language.head(params, forward(inputs), mode, batch).losses
    const other = needsReference ? models['reference'] : undefined
    const scored = other && { reference: other.head(other.forward(inputs), batch) as PairOutputs }
    return {
      preference: losses(outputs(tokens, { ...batch, ...scored }).scores),
      likelihood: { losses: mul(likelihoodWeight, half(tokens, 0)), weights: half(batch.likelihood!, 0) },
    }
  }

function create(
  o: Options,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<Pair, PairBatch, PairOutputs> {
  const scores = scoring(o)
  const { likelihoodWeight } = scores
  const limits = { ...o, ...lengthsFor({ ...o, truncationSide: o.truncationSide ?? tokenizer.truncationSide }, model) }
  const language = nextTokenHead(model, [], model.vocabularySize ?? tokenizer.vocabularySize)
  const encode = encoder(tokenizer, limits)
  return {
    views: ['label'],
    config: language.config,
    maximumLength: limits.maximumLength,
    needsReference: scores.needsReference,
    init: language.init,
    encode,
    encodeUnlabelled: encode,
    collate: collator(o.loss, { ...o, ...limits, tokenizer }, likelihoodWeight),
    head: (params, outputs, mode, batch) => scores.outputs(language.head(params, outputs, mode, batch).losses, batch),
    loss(outputs) {
      const { losses, weights } = scores.losses(outputs.scores)
      return { losses: sub(losses, mul(likelihoodWeight, half(outputs.likelihoods, 0))), weights }
    },
    ...(likelihoodWeight === 0 ? {} : { trainingLoss: withLikelihood(scores, language) }),
    predict: (outputs, pairs) => predict(outputs.scores, pairs, scores.beta as number),
    reference: () => ({ label: 'chosen' }),
  }
}

/**
 * Preference optimization: raises the probability of chosen completions relative to rejected ones, without a reward model. The default is
 * DPO, with the model before training as the reference; under LoRA this is the base model, which is not copied.
 *
 *     loss = −ln σ(β · (ln p(y⁺|x) / p₀(y⁺|x) − ln p(y⁻|x) / p₀(y⁻|x)))
 *
 * A row has `prompt`, `chosen` and `rejected`: texts, or lists of messages, which are rendered with the chat template. Without a prompt, it
 * is the common beginning of the two. The view `label` is the completion with the higher reward, so that `accuracy` is the reward accuracy;
 * predictions also have the rewards `chosen` and `rejected` and their `margin`. Outside training there is no reference model: rewards are
 * then `β · ln p`, as with a uniform reference.
 */
export const preferences = definePlugin({
  kind: OBJECTIVE,
  name: 'preferences',
  summary:
    'Preference optimization (DPO, IPO, SimPO, ORPO, CPO): trains on pairs of a chosen and a rejected completion',
  source:
    'Rafailov et al., Direct Preference Optimization: Your Language Model is Secretly a Reward Model, 2023, equation 7',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective preferences': typeof preferences
  }
}

export default preferences
