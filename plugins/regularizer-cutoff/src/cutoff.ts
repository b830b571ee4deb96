import { type StepKey, REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { classLogits, keyAt, lossAtWordEmbeddings, noise } from '@attune/nn'
import {
  type Tensor,
  add,
  addN,
  cast,
  exp,
  floor,
  greaterEqual,
  less,
  log,
  logSoftmax,
  logicalOr,
  mean,
  mul,
  range,
  sub,
  sum,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Separates the noise from the dropout of the model. */
const STREAM = 503

/** A run of `ratio · length` tokens is erased from each text, at a uniformly random position. */
function outsideSpan(embedded: Tensor, ratio: Tensor | number, key: StepKey, mask: Tensor): Tensor {
  const [batch = 1, length = 1] = embedded.shape
  const lengths = sum(cast(mask, 'float32'), 1, true) // [batch, 1]
  const erased = floor(add(mul(lengths, ratio), 0.5))
  const first = floor(mul(noise(key, [batch, 1], 'uniform'), add(sub(lengths, erased), 1)))
  const positions = range(0, length, 1, 'float32').reshape([1, length])
  return logicalOr(less(positions, first), greaterEqual(positions, add(first, erased))).reshape([batch, length, 1])
}

/** True where an embedding is kept, by unit. */
const KEPT = {
  token: ({ shape }: Tensor, ratio: Tensor | number, key: StepKey) =>
    greaterEqual(noise(key, [...shape.slice(0, 2), 1], 'uniform'), ratio),
  feature: ({ shape }: Tensor, ratio: Tensor | number, key: StepKey) =>
    greaterEqual(noise(key, [shape[0]!, 1, shape[2]!], 'uniform'), ratio),
  span: outsideSpan,
}

/** Jensen–Shannon divergence of two distributions given by logits, averaged over the rows, in nats. */
function jensenShannon(first: Tensor, second: Tensor): Tensor {
  const [p, q] = [logSoftmax(first), logSoftmax(second)]
  const middle = log(mul(0.5, add(exp(p), exp(q))))
  const from = (logs: Tensor): Tensor => sum(mul(exp(logs), sub(logs, middle)), -1)
  return mean(mul(0.5, add(from(p), from(q))))
}

/**
 * Cutoff: a second forward pass with part of the word embeddings set to 0, whose predictions are pulled to those of the first.
 *
 *     loss ← loss(e) + augmented · loss(e′) + strength · JS(p, p′)
 *
 * `token` erases tokens, `feature` erases dimensions of the embeddings, each with probability `ratio`; `span` erases a run of tokens of
 * that fraction of a text at a random position. The paper erases an exact fraction of tokens and dimensions; here their number varies. JS is
 * the Jensen–Shannon divergence, averaged over the rows. For the logits of a classifier of texts.
 */
export const cutoff = definePlugin({
  kind: REGULARIZER,
  name: 'cutoff',
  summary: 'Cutoff: consistent predictions where part of the input embeddings is erased',
  source:
    'Shen et al., A Simple but Tough-to-Beat Data Augmentation Approach for Natural Language Understanding and Generation, 2020, section 3',
  options: z.strictObject({
    unit: z.enum(['token', 'feature', 'span']).default('span').describe('Unit of erasure'),
    ratio: scheduled(z.number().min(0).max(0.9).default(0.1)).describe('Fraction of the input that is erased'),
    augmented: scheduled(z.number().min(0).max(1000).default(1)).describe('Factor on the loss of the second pass'),
    strength: scheduled(z.number().min(0).max(1000).default(1)).describe('Factor on the divergence'),
  }),
  create: ({ unit, ratio, augmented, strength }) => ({
    wrap: (loss) => (call) => {
      const { mode } = call
      if (!mode.training) return loss(call)
      const attentionMask = call.batch.inputs['attentionMask'] as Tensor
      const clean = loss(call)
      const erased = lossAtWordEmbeddings(loss, call, 'cutoff', (embedded) =>
        mul(embedded, cast(KEPT[unit](embedded, ratio, keyAt(mode.key, STREAM), attentionMask), 'float32')),
      )
      const [p, q] = [clean, erased].map(({ head }) => classLogits(head, 'cutoff')) as [Tensor, Tensor]
      const divergence = mul(mul(strength, jensenShannon(p, q)), clean.weight)
      return { ...clean, sum: addN([clean.sum, mul(augmented, erased.sum), divergence]) }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer cutoff': typeof cutoff
  }
}

export default cutoff
