import { type EncoderOutputs, type Key, type Losses, type Mode, type Model, type Params } from '@attune/core'
import { type Tensor, add, ones, squeeze, tensor1d } from '@tensorflow/tfjs-core'
import { parameter } from '../layers/parameter.js'
import { classifier } from './classifier.js'
import type { RowLosses } from './loss-of.js'

/** Name of the thresholds of {@link ordinalHead} in checkpoints. */
const THRESHOLDS = 'ordinal.thresholds'

/** One output from the pooled state, as transformers' `…ForSequenceClassification` has it with `problem_type` regression. */
function oneOutput(model: Model, losses: RowLosses) {
  const { architecture, init, forward } = classifier(model, 'sequence-classification', 1)
  return {
    config: {
      architectures: [architecture],
      problem_type: 'regression',
      id2label: { 0: 'LABEL_0' },
      label2id: { LABEL_0: 0 },
    },
    init,
    /** Scores, `[batch, 1]`. */
    head: (params: Params, { pooled }: EncoderOutputs, mode: Mode): Tensor => forward(params, pooled, mode),
    loss: (outputs: Tensor, { labels }: { readonly labels: Tensor }): Losses => ({
      losses: losses(outputs, labels),
      weights: ones([outputs.shape[0] as number]),
    }),
  }
}

/**
 * Head and loss of regression by the pooled output, as members of an objective whose batches have numbers as `labels`: dropout and a
 * linear layer with one output, `[batch]`.
 * @param losses losses `[batch]` of outputs `[batch]` for the labels
 * @throws AttuneError `NO_SUCH_HEAD` if the model's family has no such head
 */
export function scoreHead(model: Model, losses: RowLosses) {
  const members = oneOutput(model, losses)
  return {
    ...members,
    head: (params: Params, outputs: EncoderOutputs, mode: Mode): Tensor =>
      squeeze(members.head(params, outputs, mode), [1]),
  }
}

/**
 * Head and loss of ordinal classification (CORAL), as members of an objective: one score for each text, to which the bias of each of the
 * `ranks − 1` thresholds is added, `[batch, ranks − 1]`. `labels` of a batch is 1 for each threshold below the rank, otherwise 0. The biases
 * start as the fractions of evenly spread ranks above each threshold.
 * @param losses losses `[batch]` of logits for the labels
 * @throws AttuneError `NO_SUCH_HEAD` if the model's family has no such head
 * Source: Cao et al., Rank consistent ordinal regression, 2020, section 3.3.
 */
export function ordinalHead(model: Model, ranks: number, losses: RowLosses) {
  const [count, members] = [ranks - 1, oneOutput(model, losses)]
  const thresholds = Array.from({ length: count }, (_, i) => (count - i) / count)
  return {
    ...members,
    init: (key: Key): Params => ({ ...members.init(key), [THRESHOLDS]: tensor1d(thresholds) }),
    head: (params: Params, outputs: EncoderOutputs, mode: Mode): Tensor =>
      add(members.head(params, outputs, mode), parameter(params, THRESHOLDS)),
  }
}
