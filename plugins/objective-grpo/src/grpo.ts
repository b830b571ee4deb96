import {
  AttuneError,
  type Example,
  type HostArray,
  type Losses,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type OnDevice,
  type RolloutHost,
  TOKENIZER,
  type TrainingContext,
  type Tokenizer,
  definePlugin,
  scheduled,
  isPlugin,
  useAll,
} from '@attune/core'
import {
  type NextTokenBatch,
  type NextTokenItem,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  nextTokens,
} from '@attune/data'
import { type TokenLosses, nextTokenHead, stopGradient } from '@attune/nn'
import { REWARD, type Reward, completionTokens, joinCompletion, promptOf, promptText } from '@attune/text'
import {
  type Tensor,
  clipByValue,
  div,
  exp,
  expandDims,
  maximum,
  minimum,
  mul,
  neg,
  onesLike,
  sub,
  sum,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { type WeightedReward, advantagesOf, rewardAll } from './advantages.js'

const options = z.strictObject({
  rewards: useAll(REWARD).describe('Reward functions: plugins, or paths of modules; each may have a `weight`'),
  groupSize: z.int().min(2).max(1024).default(8).describe('Completions sampled per prompt; their rewards are compared'),
  maximumNewTokens: z.int().min(1).default(128).describe('Maximum number of tokens of a completion'),
  temperature: z.number().positive().default(1).describe('Sampling temperature'),
  topK: z.int().min(0).default(0).describe('Top-k sampling: sample from the k most probable tokens; 0 disables it'),
  topP: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('Nucleus sampling (top-p): sample from the smallest set of tokens with this cumulative probability'),
  scale: z
    .enum(['group', 'batch', 'none'])
    .default('group')
    .describe('Standard deviation that divides the advantages: of the group (GRPO), of the batch, or none (Dr. GRPO)'),
  average: z
    .enum(['completions', 'tokens', 'constant'])
    .default('completions')
    .describe(
      'Normalization of token losses: mean per completion (GRPO), mean of all tokens (DAPO), or sum divided by maximumNewTokens (Dr. GRPO)',
    ),
  beta: scheduled(z.number().min(0).default(0)).describe(
    'Weight of the divergence from the model before training; 0 needs no reference model, and cannot follow a schedule',
  ),
  updatesPerRollout: z
    .int()
    .min(1)
    .default(1)
    .describe('Steps on each batch of completions (μ); with 1, the probability ratio is 1 and is not clipped'),
  epsilonLow: z.number().min(0).max(1).default(0.2).describe('The probability ratio is clipped below 1 − epsilonLow'),
  epsilonHigh: z
    .number()
    .min(0)
    .default(0.2)
    .describe('The probability ratio is clipped above 1 + epsilonHigh; DAPO: 0.28'),
  maximumLength: maximumTokens(2, 'a prompt with its completion'),
  ...lengthOptions,
})

type Options = z.output<typeof options>

/** A prompt or, after the rollout, a completion with its prompt. */
interface Item extends NextTokenItem {
  readonly prompt: string
  readonly example: Example
  /** Advantage of a completion; 0 for a prompt. */
  readonly advantage: number
  /** Log-probability of each token after the first by the policy of the rollout. Absent if each batch trains once. */
  readonly logProbs?: readonly number[]
}

/**
 * A batch of completions; `advantages` are float32 `[rows]`, and `weights` 1 for the tokens of the completions. `logProbs` `[rows, length]`
 * are log-probabilities of the targets by the policy of the rollout.
 */
interface Rollouts extends NextTokenBatch {
  readonly advantages: HostArray
  readonly logProbs?: HostArray
}

/** Advantages of a batch and, if all items have them, log-probabilities, padded to the shape `[rows, length]` of its targets. */
function collateRollout(items: readonly Item[], shape: readonly number[]): Pick<Rollouts, 'advantages' | 'logProbs'> {
  const ofRows = Float32Array.from(items, ({ advantage }) => advantage)
  const advantages: HostArray = { shape: [items.length], dtype: 'float32', values: ofRows }
  if (items.some(({ logProbs }) => logProbs === undefined)) return { advantages }
  const [rows, length] = shape as [number, number]
  const values = new Float32Array(rows * length)
  for (const [row, { logProbs }] of items.entries()) values.set(logProbs!, row * length)
  return { advantages, logProbs: { shape: [rows, length], dtype: 'float32', values } }
}

type LossOptions = Pick<Options, 'average' | 'beta' | 'maximumNewTokens' | 'epsilonLow' | 'epsilonHigh'>

/** `min(ρ · A, clip(ρ, 1 − epsilonLow, 1 + epsilonHigh) · A)`, the objective of PPO; `ρ · A` with ρ = 1 without earlier log-probabilities. */
function clippedGain(
  logProbs: Tensor,
  before: Tensor | undefined,
  advantages: Tensor,
  { epsilonLow, epsilonHigh }: Pick<Options, 'epsilonLow' | 'epsilonHigh'>,
): Tensor {
  const ratio = exp(sub(logProbs, before ?? stopGradient(logProbs)))
  const gain = mul(ratio, advantages)
  if (before === undefined) return gain
  return minimum(gain, mul(clipByValue(ratio, 1 - epsilonLow, 1 + epsilonHigh), advantages))
}

/**
 * Policy-gradient losses of completions, with a clipped probability ratio; the ratio is 1 without `logProbs` of the rollout's policy.
 * @param logProbs log-probabilities of the next tokens, `[rows, length]`
 * @param reference those of the reference model; omit for no divergence term
 */
export function policyLosses(
  logProbs: Tensor,
  { weights, advantages, logProbs: before }: Readonly<Record<'weights' | 'advantages', Tensor>> & { logProbs?: Tensor },
  { average, beta, maximumNewTokens, ...clip }: LossOptions,
  reference?: Tensor,
): Losses {
  const gain = clippedGain(logProbs, before, expandDims(advantages, 1), clip)
  const difference = reference && sub(reference, logProbs)
  const divergence = difference && sub(sub(exp(difference), difference), 1) // k3, ≥ 0
  const losses = divergence === undefined ? neg(gain) : sub(mul(beta, divergence), gain)
  if (average === 'tokens') return { losses, weights }
  const count = average === 'constant' ? maximumNewTokens : maximum(sum(weights, -1), 1)
  const perRow = div(sum(mul(losses, weights), -1), count)
  return { losses: perRow, weights: onesLike(perRow) }
}

/** Instances of the reward functions. */
const rewardsOf = ({ rewards }: Options): readonly WeightedReward[] =>
  rewards.map(({ plugin, options: own, ...rest }) => {
    if (!isPlugin(plugin)) throw new Error('objective grpo: expected resolved reward plugins') // the run resolves names
    const { weight = 1 } = ('common' in rest ? rest.common : {}) as { readonly weight?: number }
    const { reward } = plugin(own) as Reward
    return { name: plugin.name, weight, reward }
  })

/** Encodes the prompt of an example; a long one keeps its end, with room for one token. */
const encoder =
  (tokenizer: Tokenizer, maximumLength: number) =>
  (example: Example): Item => {
    const row = promptOf(example)
    const { prompt: all } = completionTokens(tokenizer, row)
    // The template of the tokenizer may end a text, but this one is continued.
    const ids = all.length > 1 && all.at(-1) === tokenizer.special.end ? all.slice(0, -1) : all
    const kept = ids.slice(Math.max(0, ids.length - maximumLength + 1))
    const item = { ids: kept, length: kept.length, truncated: kept.length < ids.length }
    return { ...item, prompt: promptText(tokenizer, row), example, advantage: 0 }
  }

/** Samples a group of completions for each prompt, rewards them, and returns them with their advantages. */
async function rollout(
  o: Options,
  { special }: Tokenizer,
  { maximumLength, rewards }: { readonly maximumLength: number; readonly rewards: readonly WeightedReward[] },
  items: readonly Item[],
  host: RolloutHost,
): Promise<readonly Item[]> {
  const { groupSize, maximumNewTokens, temperature, topK, topP } = o
  const all = items.flatMap((item) => Array.from({ length: groupSize }, () => item))
  const seed = Math.floor(host.random() * 2 ** 31)
  const sampling = { maximumNewTokens, temperature, topK, topP, seed }
  const samples = await host.sample(
    all.map(({ ids }) => ids),
    sampling,
  )
  const rows = samples.map(({ text }, i) => ({ ...all[i]!, completion: text }))
  const { sums, means } = await rewardAll(rewards, rows)
  const advantages = advantagesOf(sums, groupSize, o.scale)
  const total = samples.reduce((count, { ids }) => count + ids.length, 0)
  host.report({
    reward: sums.reduce((a, b) => a + b, 0) / sums.length,
    ...(rewards.length > 1 ? means : {}),
    completionTokens: total / samples.length,
  })
  const completions = samples.map(({ ids, ended }, i) => {
    const completion = ended && special.end !== undefined ? [...ids, special.end] : ids
    const { prompt, example, ids: asked } = all[i]!
    return { ...joinCompletion(asked, completion, { maximumLength }), prompt, example, advantage: advantages[i]! }
  })
  if (o.updatesPerRollout === 1) return completions
  const views = await host.predict(completions)
  return completions.map((item, i) => ({ ...item, logProbs: views[i]!['logProbs'] as readonly number[] }))
}

/** The reference model, if the divergence from it has a weight. @throws AttuneError `BAD_SCHEDULE` if it is missing */
function referenceOf({ reference }: TrainingContext['models'], { beta }: Options) {
  if (beta === 0 || reference !== undefined) return beta === 0 ? undefined : reference
  throw new AttuneError(
    'BAD_SCHEDULE',
    'schedule: expected a positive `beta` of the objective grpo under a schedule, got 0, which loads no reference model',
    'Set `objective: { use: grpo, beta: 0.04 }`; the schedule replaces the value.',
  )
}

function create(
  o: Options,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<Item, Rollouts, TokenLosses> {
  const { maximumLength } = lengthsFor({ ...o, truncationSide: o.truncationSide ?? tokenizer.truncationSide }, model)
  const language = nextTokenHead(model, [], model.vocabularySize ?? tokenizer.vocabularySize)
  const { collate, predict, reference } = nextTokens({ ...o, tokenizer, maximumLength })
  const rewards = rewardsOf(o)
  const encode = encoder(tokenizer, maximumLength)
  return {
    views: ['tokens'],
    ...language,
    maximumLength,
    needsReference: o.beta !== 0,
    encode,
    encodeUnlabelled: encode,
    updatesPerRollout: o.updatesPerRollout,
    collate(items) {
      const batch = collate(items)
      return { ...batch, ...collateRollout(items, batch.weights.shape) }
    },
    rollout: (items, host) => rollout(o, tokenizer, { maximumLength, rewards }, items, host),
    trainingLoss({ params, mode, forward, models }, batch: OnDevice<Rollouts>) {
      const other = referenceOf(models, o)
      const inputs = batch.inputs
      const { losses } = language.head(params, forward(inputs), mode, batch)
      const before = other && (other.head(other.forward(inputs), batch) as TokenLosses)
      return policyLosses(neg(losses), batch, o, before && neg(before.losses))
    },
    predict: ({ best, losses: { values, shape } }, items) =>
      predict(best, items).map((view, row) => {
        const { ids, trained } = items[row]!
        if (trained === undefined) return view // a prompt
        const from = row * shape[1]!
        return { ...view, logProbs: Array.from(values.subarray(from, from + ids.length - 1), (loss) => -loss) }
      }),
    reference,
  }
}

/**
 * Group relative policy optimization: samples a group of completions for each prompt, rewards each with functions, and raises the
 * probability of those that are better than their group.
 *
 *     A_i = (r_i − mean r) / (std r + 1e-4)
 *     loss = −mean of min(ρ_t · A_i, clip(ρ_t, 1 − ε_low, 1 + ε_high) · A_i) − β · KL_t
 *     ρ_t = p(y_t) / p_rollout(y_t),   KL_t = p₀/p − ln(p₀/p) − 1
 *
 * Every batch is sampled with the current weights. With `updatesPerRollout: 1` it trains once, so the probability ratio ρ is 1 and its
 * clipping has no effect. With more, the log-probabilities of the rollout's policy, without dropout, are kept for the steps on it: set the
 * dropout of the model to 0, so that ρ is 1 in the first of them. A row has a `prompt`, a text or a list of messages; its other fields are passed to the reward functions. The mean reward of each
 * batch is reported in the event `rollout.completed`. A validation loss is the next-token loss of the prompts, which has no reward.
 */
export const grpo = definePlugin({
  kind: OBJECTIVE,
  name: 'grpo',
  summary: 'Group relative policy optimization (GRPO): reinforcement learning from reward functions',
  source:
    'Shao et al., DeepSeekMath, 2024, section 4.1; Liu et al., Understanding R1-Zero-Like Training (Dr. GRPO), 2025',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective grpo': typeof grpo
  }
}

export default grpo
