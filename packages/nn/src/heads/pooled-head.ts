import type { EncoderOutputs, Losses, Mode, Model, Params } from '@attune/core'
import { type Tensor, ones } from '@tensorflow/tfjs-core'
import { type ClassifierName, classifier } from './classifier.js'
import type { RowLosses } from './loss-of.js'

/**
 * Head and loss of classification by the pooled output, as members of an objective whose batches have `labels`: dropout and one linear
 * layer with `size` outputs, and one loss for each text.
 * @param losses losses `[batch]` of logits `[batch, size]` for the labels
 * @param rate dropout probability; default: that of the model's heads
 * @throws AttuneError `NO_SUCH_HEAD` if the model's family has no such head
 */
export function pooledHead(
  model: Model,
  name: ClassifierName,
  size: number,
  losses: RowLosses,
  rate?: Model['headDropout'],
) {
  const { architecture, init, forward } = classifier(model, name, size, rate)
  return {
    config: { architectures: [architecture] },
    init,
    head: (params: Params, { pooled }: EncoderOutputs, mode: Mode): Tensor => forward(params, pooled, mode),
    loss: (logits: Tensor, { labels }: { readonly labels: Tensor }): Losses => ({
      losses: losses(logits, labels),
      weights: ones([logits.shape[0] as number]),
    }),
  }
}
