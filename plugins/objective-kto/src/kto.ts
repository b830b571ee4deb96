import {
  AttuneError,
  type Example,
  type HostArray,
  type Losses,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  type Tokenizer,
  type Tree,
  definePlugin,
  scheduled,
  excerpt,
} from '@attune/core'
import { type NextTokenBatch, type NextTokenItem, completionLengthOptions, lengthsFor, nextTokens } from '@attune/data'
import { completionLogProbs, nextTokenHead, stopGradient } from '@attune/nn'
import {
  type CompletionLimits,
  type PromptedCompletions,
  completionTokens,
  joinCompletion,
  promptedCompletion,
} from '@attune/text'
import { type Tensor, abs, add, maximum, mean, mul, relu, sigmoid, slice, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  label: z
    .string()
    .default('label')
    .meta({ field: 'label' })
    .describe('Field that is true (or 1) for a desirable completion, false (or 0) for an undesirable one'),
  beta: scheduled(z.number().positive().default(0.1)).describe(
    'Scale of the rewards; a larger value keeps the model closer to the one before training',
  ),
  desirableWeight: scheduled(z.number().min(0).default(1)).describe('Factor on the losses of desirable completions'),
  undesirableWeight: scheduled(z.number().min(0).default(1)).describe(
    'Factor on the losses of undesirable completions. With unbalanced labels, choose weights so that weight · count is 1 to 4/3 times as large for the desirable ones',
  ),
  ...completionLengthOptions,
})

type Options = z.output<typeof options>

/** A completion with its prompt: the tokens of both together, and of each without truncation. */
interface Item extends NextTokenItem {
  readonly prompt: readonly number[]
  readonly completion: readonly number[]
  /** 1 if desirable, −1 if undesirable, 0 if unknown. */
  readonly sign: number
}

/** Rows are the completions, and then each prompt with the completion of the row before: `[2 · items, length]`. */
interface Completions extends NextTokenBatch {
  /** Signs of the completions, 0 for the mismatched rows; float32 `[2 · items]`. */
  readonly signs: HostArray
  /** Outputs of the head of the reference model, if there is one. */
  readonly reference?: { readonly scores: HostArray }
}

/** Log-probability of each row, minus that of the reference model if there is one; float32 `[2 · items]`. */
interface Outputs extends Record<string, Tree> {
  readonly scores: Tensor
}

/** The sign of a label. @throws AttuneError `MISSING_FIELD` */
function signOf(example: Example, field: string): number {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  const label = typeof value === 'string' ? value.trim().toLowerCase() : value
  if (label === true || label === 1 || label === 'true' || label === '1') return 1
  if (label === false || label === 0 || label === 'false' || label === '0') return -1
  throw new AttuneError(
    'MISSING_FIELD',
    `expected true or false in field "${field}" of an example, got ${excerpt(value, 120)}`,
    "Correct or remove the row, or name another field in the objective's option `label`.",
  )
}

/** Encodes a prompt with its completion. */
const encoder =
  (tokenizer: Tokenizer, limits: CompletionLimits) =>
  (row: PromptedCompletions, sign: number): Item => {
    const { prompt, completions } = completionTokens(tokenizer, row)
    const completion = completions[0]!
    return { ...joinCompletion(prompt, completion, limits), prompt, completion, sign }
  }

/** Collates completions, and each prompt with the completion of the item before. */
const collator =
  (collate: (items: readonly NextTokenItem[]) => NextTokenBatch, limits: CompletionLimits) =>
  (items: readonly Item[]): Completions => {
    const mismatched = items.map(({ prompt }, i) => joinCompletion(prompt, items.at(i - 1)!.completion, limits))
    const signs = Float32Array.from([...items, ...mismatched], (row) => ('sign' in row ? row.sign : 0))
    return {
      ...collate([...items, ...mismatched]),
      signs: { shape: [signs.length], dtype: 'float32', values: signs },
    }
  }

/**
 * Losses of completions, `[items]`.
 * @param scores log-ratios of the completions and the mismatched rows, `[2 · items]`
 * @param signs 1 if desirable, −1 if undesirable, `[2 · items]`
 */
export function ktoLosses(scores: Tensor, signs: Tensor, o: Omit<Options, 'label' | 'padToMultipleOf'>): Losses {
  const items = (scores.shape[0] as number) / 2
  const divergence = stopGradient(relu(mean(slice(scores, [items], [items]))))
  const sign = slice(signs, [0], [items])
  const value = sigmoid(mul(mul(o.beta, sign), sub(slice(scores, [0], [items]), divergence)))
  const factor = add(mul(o.desirableWeight, relu(sign)), mul(o.undesirableWeight, maximum(sub(0, sign), 0)))
  return { losses: mul(factor, sub(1, value)), weights: abs(sign) }
}

const labelled = (isDesirable: boolean): string => (isDesirable ? 'desirable' : 'undesirable')

function create(
  o: Options,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<Item, Completions, Outputs> {
  const limits = { ...o, ...lengthsFor({ ...o, truncationSide: o.truncationSide ?? tokenizer.truncationSide }, model) }
  const language = nextTokenHead(model, [], model.vocabularySize ?? tokenizer.vocabularySize)
  const encode = encoder(tokenizer, limits)
  return {
    views: ['label'],
    config: language.config,
    maximumLength: limits.maximumLength,
    needsReference: true,
    comparesExamples: true,
    init: language.init,
    encode: (example) => encode(promptedCompletion(example), signOf(example, o.label)),
    encodeUnlabelled: (example) => encode(promptedCompletion(example), 0),
    collate: collator(nextTokens({ ...o, ...limits, tokenizer }).collate, limits),
    head(params, outputs, mode, batch) {
      const { losses } = language.head(params, outputs, mode, batch)
      const logProbs = completionLogProbs(losses, batch.weights)
      return { scores: batch.reference === undefined ? logProbs : sub(logProbs, batch.reference.scores) }
    },
    loss: ({ scores }, { signs }) => ktoLosses(scores, signs, o),
    predict: ({ scores }, items) =>
      items.map((_, i) => ({ label: labelled(scores.values[i]! > 0), reward: (o.beta as number) * scores.values[i]! })),
    reference: ({ sign }) => ({ label: labelled(sign > 0) }),
  }
}

/**
 * Kahneman–Tversky optimization: raises the probability of desirable completions and lowers that of undesirable ones, relative to the model
 * before training. Completions are labelled one by one, so no pairs are needed.
 *
 *     r = ln p(y|x) / p₀(y|x),   z = max(0, mean of r over mismatched pairs of the batch)
 *     loss = λ · (1 − σ(β · (r − z))) if desirable, else λ · (1 − σ(β · (z − r)))
 *
 * z estimates the divergence from the reference model: each prompt with the completion of another example. No gradient flows into it, and
 * a batch of one has no other completion; use at least four. A row has `prompt`, `completion` and a `label`, true or false. The view
 * `label` is desirable where the reward is positive. Outside training there is no reference model, so r is then `ln p`.
 */
export const kto = definePlugin({
  kind: OBJECTIVE,
  name: 'kto',
  summary: 'Kahneman–Tversky optimization (KTO): trains on completions labelled as desirable or undesirable',
  source: 'Ethayarajh et al., KTO: Model Alignment as Prospect Theoretic Optimization, 2024, equation 8',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective kto': typeof kto
  }
}

export default kto
