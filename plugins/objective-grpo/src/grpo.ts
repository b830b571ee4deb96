import {
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
  type TextInputs,
  type Tokenizer,
  definePlugin,
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
import { type Tensor, div, exp, expandDims, maximum, mul, neg, onesLike, sub, sum } from '@tensorflow/tfjs-core'
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
  beta: z
    .number()
    .min(0)
    .default(0)
    .describe('Weight of the divergence from the model before training; 0 needs no reference model'),
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
}

/** A batch of completions; `advantages` are float32 `[rows]`, and `weights` 1 for the tokens of the completions. */
interface Rollouts extends NextTokenBatch {
  readonly advantages: HostArray
}

/**
 * Policy-gradient losses of completions; the probability ratio is 1, since each completion trains once.
 * @param logProbs log-probabilities of the next tokens, `[rows, length]`
 * @param reference those of the reference model; omit for no divergence term
 */
export function policyLosses(
  logProbs: Tensor,
  { weights, advantages }: { readonly weights: Tensor; readonly advantages: Tensor },
  { average, beta, maximumNewTokens }: Pick<Options, 'average' | 'beta' | 'maximumNewTokens'>,
  reference?: Tensor,
): Losses {
  const ratio = exp(sub(logProbs, stopGradient(logProbs)))
  const gain = mul(ratio, expandDims(advantages, 1))
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
  return samples.map(({ ids, ended }, i) => {
    const completion = ended && special.end !== undefined ? [...ids, special.end] : ids
    const { prompt, example, ids: asked } = all[i]!
    return { ...joinCompletion(asked, completion, { maximumLength }), prompt, example, advantage: advantages[i]! }
  })
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
    needsReference: o.beta > 0,
    encode,
    encodeUnlabelled: encode,
    collate: (items) => ({
      ...collate(items),
      advantages: {
        shape: [items.length],
        dtype: 'float32',
        values: Float32Array.from(items, ({ advantage }) => advantage),
      },
    }),
    rollout: (items, host) => rollout(o, tokenizer, { maximumLength, rewards }, items, host),
    trainingLoss({ params, mode, forward, models }, batch: OnDevice<Rollouts>) {
      const inputs = batch.inputs as unknown as TextInputs
      const { losses } = language.head(params, forward(inputs), mode, batch)
      const other = o.beta > 0 ? models['reference'] : undefined
      const before = other && (other.head(other.forward(inputs), batch) as TokenLosses)
      return policyLosses(neg(losses), batch, o, before && neg(before.losses))
    },
    predict: ({ best }, items) => predict(best, items),
    reference,
  }
}

/**
 * Group relative policy optimization: samples a group of completions for each prompt, rewards each with functions, and raises the
 * probability of those that are better than their group.
 *
 *     A_i = (r_i − mean r) / (std r + 1e-4)
 *     loss = −mean of A_i · ρ_t − β · KL_t,   ρ_t = p(y_t) / stopGradient(p(y_t)),   KL_t = p₀/p − ln(p₀/p) − 1
 *
 * Every batch is sampled with the current weights and trains once, so the probability ratio ρ is 1 and its clipping in the paper has no
 * effect. A row has a `prompt`, a text or a list of messages; its other fields are passed to the reward functions. The mean reward of each
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
