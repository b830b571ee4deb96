import {
  AttuneError,
  type Example,
  LOSS,
  type LayerHook,
  type LossTerm,
  MODEL,
  type Mode,
  type Model,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  type TextInputs,
  type Tokenizer,
  type TrainingContext,
  definePlugin,
  deriveKey,
  mapParams,
  scheduled,
  use,
} from '@attune/core'
import {
  type NextTokenBatch,
  type NextTokenItem,
  lengthOptions,
  lengthsFor,
  nextTokenItem,
  nextTokens,
  textOf,
} from '@attune/data'
import {
  type RelaxedDecoder,
  type TokenLosses,
  binaryCrossEntropy,
  generateRelaxed,
  hardTokens,
  headFor,
  modeAt,
  nextTokenHead,
  relaxations,
  stopGradient,
  tokenLogits,
  withoutGradient,
} from '@attune/nn'
import {
  type Tensor,
  add,
  cast,
  cumsum,
  equal,
  mul,
  ones,
  onesLike,
  slice,
  concat,
  zerosLike,
  zeros,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { type Discriminator, createDiscriminator } from './discriminator.js'

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text', required: true }).describe('Field that holds the text'),
  discriminator: use(MODEL)
    .refine((chosen) => !('from' in chosen.options), 'a discriminator starts from random weights: remove `from`')
    .describe('Encoder that distinguishes real from generated texts: `{ use: bert, hiddenSize: 64, … }`'),
  relaxation: z
    .enum(relaxations)
    .default('straight-through')
    .describe(
      'Generated tokens as the generator and the discriminator read them: one-hot samples with the gradient of the Gumbel-softmax, samples of the Gumbel-softmax, or the softmax without noise (expected embeddings)',
    ),
  temperature: scheduled(z.number().positive().max(1000).default(1)).describe('Temperature of the softmax'),
  weight: scheduled(z.number().min(0).max(1e6).default(1)).describe(
    'Weight λ of the maximum-likelihood (next-token) loss of the generator; 0: adversarial only',
  ),
  promptLength: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe(
      'Number of tokens at the beginning of a text that the generator continues; 1: the begin token, if there is one',
    ),
  maximumLength: z
    .int()
    .min(2)
    .max(1000)
    .default(32)
    .describe(
      'Maximum number of tokens of a text; longer ones are truncated. The time to compile a step is proportional to it',
    ),
  ...lengthOptions,
})

type Options = z.output<typeof options>

/** @throws AttuneError `NOT_A_WRITER` if the model has no KV cache or is an encoder–decoder */
function requireDecoder({ cache, config }: Model): void {
  if (cache !== undefined && config['is_encoder_decoder'] !== true) return
  throw new AttuneError(
    'NOT_A_WRITER',
    `objective adversarial-text-generation: expected a decoder, got a model of type "${String(config['model_type'])}"`,
    'Use a decoder: gpt2, llama, gemma, or lstm with `architecture: decoder`.',
  )
}

/** 1 up to the first end token of each text, 0 after it, int32 `[rows, length]`; the first token does not count as an end. */
const untilEnd = (ids: Tensor, end: number): Tensor =>
  withoutGradient(() => {
    const [rows, length] = ids.shape as [number, number]
    const later = slice(ids, [0, 1], [rows, length - 1])
    const isEnd = concat([zeros([rows, 1], 'int32'), cast(equal(later, end), 'int32')], 1)
    return cast(equal(cumsum(isEnd, 1, true), 0), 'int32')
  })

/** Both networks, and the end token, if there is one. */
interface Networks {
  readonly decoder: RelaxedDecoder
  readonly discriminator: Discriminator
  readonly end: number | undefined
}

/**
 * Losses of both networks on a batch and as many generated texts, each `[rows]`. The generator's loss has no gradient in the parameters of the
 * discriminator, and the discriminator's none in those of the generator.
 */
function adversarialLosses(
  o: Options,
  { discriminator, decoder, end }: Networks,
  { params, mode }: TrainingContext,
  inputs: TextInputs,
) {
  const tokens = generateRelaxed(decoder, { inputIds: inputs.inputIds, promptLength: o.promptLength }, o, mode)
  const ids = hardTokens(tokens)
  const attentionMask = end === undefined ? inputs.attentionMask : untilEnd(ids, end)
  const generated = { inputIds: ids, attentionMask, tokenTypeIds: zerosLike(ids) }
  const own = discriminator.own(params)
  const fixed = mapParams((tensor) => stopGradient(tensor), own)
  const [judged, real, fake] = [
    discriminator.logits(fixed, generated, modeAt(mode, 995), tokens),
    discriminator.logits(own, inputs, modeAt(mode, 996)),
    discriminator.logits(own, generated, modeAt(mode, 997), stopGradient(tokens)),
  ]
  const weights = ones([ids.shape[0]!])
  return {
    generator: { losses: binaryCrossEntropy(judged, onesLike(judged)), weights },
    discriminator: {
      losses: add(binaryCrossEntropy(real, onesLike(real)), binaryCrossEntropy(fake, zerosLike(fake))),
      weights,
    },
  }
}

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<NextTokenItem, NextTokenBatch, TokenLosses> {
  requireDecoder(model)
  const vocabulary = model.vocabularySize ?? tokenizer.vocabularySize
  const discriminator = createDiscriminator(o.discriminator, vocabulary)
  const shorter = { maximumLength: Math.min(model.maximumLength, discriminator.maximumLength) }
  const limits = lengthsFor({ ...o, truncationSide: o.truncationSide ?? tokenizer.truncationSide }, shorter)
  const { maximumLength } = limits
  const head = nextTokenHead(model, losses, vocabulary)
  const family = headFor(model, 'causal-language-modeling')
  const read = (example: Example): NextTokenItem => nextTokenItem(tokenizer, textOf(example, o.text), limits)
  const { collate, predict, reference } = nextTokens({ ...o, tokenizer, maximumLength })
  return {
    views: ['tokens'],
    ...head,
    maximumLength,
    init: (key) => ({ ...head.init(key), ...discriminator.init(deriveKey(key, 'discriminator')) }),
    encode: read,
    encodeUnlabelled: read,
    collate,
    trainingLoss(context, batch) {
      const { params, mode, forward } = context
      const decoder = {
        ...model,
        vocabulary,
        forward: (inputs: TextInputs, own: Mode, hook: LayerHook) => forward(inputs, { mode: own, hook }),
        logits: (states: Tensor) => tokenLogits(model, family, params, states),
      }
      const inputs = batch.inputs as TextInputs
      const adversarial = adversarialLosses(o, { decoder, discriminator, end: tokenizer.special.end }, context, inputs)
      if (o.weight === 0) return adversarial
      const modeling = head.loss(head.head(params, forward(inputs), mode, batch), batch)
      return { ...adversarial, modeling: { ...modeling, losses: mul(modeling.losses, o.weight) } }
    },
    predict: ({ best }, items) => predict(best, items),
    reference,
  }
}

/**
 * Adversarial text generation (text GAN): the model, a decoder, generates texts, and a discriminator learns to distinguish them from the
 * texts of the data. Generated tokens are relaxed to vectors over the vocabulary, so that the gradient of the discriminator reaches the
 * generator through the embeddings of the whole text.
 *
 *     generator:      −ln σ(D(generated)) + λ · next-token loss
 *     discriminator:  −ln σ(D(real)) − ln σ(−D(generated))
 *
 * The generator's loss is the non-saturating one: minimizing ln(1 − σ(D)), as some texts print it, has no gradient where the discriminator is
 * sure. Neither loss has a gradient in the parameters of the other network; `optimizer-alternating` trains them in turns. Evaluation and
 * predictions are those of causal language modeling. Near neighbours: causal-language-modeling has no discriminator; grpo learns from
 * rewards of sampled texts without their gradient.
 */
export const adversarialTextGeneration = definePlugin({
  kind: OBJECTIVE,
  name: 'adversarial-text-generation',
  summary: 'Adversarial text generation (text GAN): a decoder trains against a discriminator of its texts',
  source:
    'Goodfellow et al., Generative Adversarial Nets, 2014, section 3; Nie et al., RelGAN: Relational Generative Adversarial Networks for Text Generation, 2019, section 3.2; Jang et al., Categorical Reparameterization with Gumbel-Softmax, 2017, section 2',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective adversarial-text-generation': typeof adversarialTextGeneration
  }
}

export default adversarialTextGeneration
