import {
  AttuneError,
  type EncodeOptions,
  type Example,
  type HostArray,
  MODEL,
  type Mode,
  type Model,
  OBJECTIVE,
  type Objective,
  type OnDevice,
  type Params,
  TOKENIZER,
  type TextInputs,
  type Tokenizer,
  definePlugin,
  scheduled,
  deriveKey,
  use,
} from '@attune/core'
import { lengthOptions, lengthsFor, maximumTokens, textOf } from '@attune/data'
import {
  detectionHead,
  detectionLogits,
  detectionLosses,
  hostRow,
  hostSigmoid,
  initialDetectionHead,
  replaceTokens,
  withoutGradient,
} from '@attune/nn'
import { type Tensor, cast, notEqual } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { type DetectionBatch, type DetectionItem, detectionBatches } from './batch.js'
import { createGenerator } from './generator.js'

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text', required: true }).describe('Field that holds the text'),
  generator: use(MODEL)
    .refine((chosen) => !('from' in chosen.options), 'a generator starts from random weights: remove `from`')
    .describe('Small masked language model that replaces tokens: `{ use: electra, hiddenSize: 64, … }`'),
  maskingProbability: z
    .number()
    .positive()
    .lt(1)
    .default(0.15)
    .meta({ scheduled: 'collation' })
    .describe('Fraction of the tokens to mask and replace'),
  wholeWord: z.boolean().default(false).describe('Mask all subwords of a word together'),
  weight: scheduled(z.number().min(0).max(1e6).default(50)).describe('Weight λ of the loss of the discriminator'),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

type Options = z.output<typeof options>
type DeviceBatch = OnDevice<DetectionBatch>

/** Outputs of both models: logits that a token was replaced, `[rows, length]`, and losses of masked tokens, `[rows, masked tokens]`. */
interface Outputs extends Record<string, Tensor> {
  readonly logits: Tensor
  readonly modeling: Tensor
}

function requireMask({ special }: Tokenizer): void {
  if (special.mask !== undefined) return
  throw new AttuneError(
    'NO_MASK_TOKEN',
    'objective replaced-token-detection: expected a tokenizer with a mask token',
    'Use a BERT-style tokenizer, or train one: wordpiece adds [MASK].',
  )
}

/** Probabilities and names of the tokens of each text. */
const predicted = (logits: HostArray, items: readonly DetectionItem[]) =>
  items.map(({ length }, row) => viewsOf(hostSigmoid(hostRow(logits, row, length))))

const viewsOf = (replaced: readonly number[]) => ({
  replaced,
  tokens: replaced.map((probability) => (probability > 0.5 ? 'replaced' : 'original')),
})

const reader =
  ({ encode }: Tokenizer, field: string, limits: EncodeOptions) =>
  (example: Example, isLabelled = true): DetectionItem => {
    const { ids, truncated } = encode(textOf(example, field), limits)
    return { ids, truncated, length: ids.length, isLabelled }
  }

function create(
  o: Options,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<DetectionItem, DetectionBatch, Outputs> {
  requireMask(tokenizer)
  const generator = createGenerator(o.generator, model, model.vocabularySize ?? tokenizer.vocabularySize)
  const limits = lengthsFor(o, { ...model, maximumLength: Math.min(model.maximumLength, generator.maximumLength) })
  const head = detectionHead(model)
  const { collate, isReplaced } = detectionBatches(tokenizer, { ...o, maximumLength: limits.maximumLength })
  const encode = reader(tokenizer, o.text, limits)
  const generate = (params: Params, mode: Mode, { inputs, maskedIds, ...batch }: DeviceBatch) =>
    generator.forward(params, { ...batch, inputs: { ...inputs, inputIds: maskedIds } as TextInputs }, mode)
  const lossOf = ({ inputs, weights: masked }: DeviceBatch, outputs: Outputs, isReplaced: Tensor) =>
    detectionLosses({ ...outputs, isReplaced, attentionMask: inputs.attentionMask as Tensor, masked }, o.weight)
  return {
    views: ['replaced', 'tokens'],
    config: { architectures: [head.architecture] },
    maximumLength: limits.maximumLength,
    init: (key) => ({ ...initialDetectionHead(model, head, deriveKey(key, 'discriminator')), ...generator.init(key) }),
    encode: (example) => encode(example),
    encodeUnlabelled: (example) => encode(example, false),
    collate,
    head: (params, { lastHiddenState }, mode, batch) => ({
      logits: detectionLogits(head, params, lastHiddenState),
      modeling: generate(params, mode, batch).losses,
    }),
    loss: (outputs, batch) => lossOf(batch, outputs, batch.isReplaced),
    trainingLoss({ params, mode, forward }, batch) {
      const { losses: modeling, sampled } = generate(params, mode, batch)
      const inputIds = withoutGradient(() => replaceTokens(batch.inputs.inputIds as Tensor, batch, sampled!))
      const labels = withoutGradient(() => cast(notEqual(inputIds, batch.inputs.inputIds), 'float32'))
      const { lastHiddenState } = forward({ ...batch.inputs, inputIds })
      return lossOf(batch, { logits: detectionLogits(head, params, lastHiddenState), modeling }, labels)
    },
    predict: ({ logits }, items) => predicted(logits, items),
    reference: (item) => viewsOf(isReplaced(item)),
  }
}

/**
 * Replaced token detection (ELECTRA): a small generator, a masked language model, replaces some tokens of a text with its samples, and the
 * model, the discriminator, predicts for every token if it is the original. Both train together; no gradient passes through the samples,
 * so it is not adversarial.
 *
 *     loss = masked-language-modeling loss of the generator + λ · binary cross-entropy of the discriminator over all tokens
 *
 * A sample that is the original token counts as original. The models share their embeddings if these have the same size. In evaluation,
 * random tokens replace the masked ones, always the same of a text: the references are then known, and losses of all steps are comparable.
 */
export const replacedTokenDetection = definePlugin({
  kind: OBJECTIVE,
  name: 'replaced-token-detection',
  summary: 'Replaced token detection: how ELECTRA is pretrained, with a generator and a discriminator',
  source: 'Clark et al., ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators, 2020, section 2',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective replaced-token-detection': typeof replacedTokenDetection
  }
}

export default replacedTokenDetection
