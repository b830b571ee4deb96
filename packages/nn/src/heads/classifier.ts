import type { Key, Mode, Model, Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { dropout, modeAt } from '../layers/dropout.js'
import { linear } from '../layers/linear.js'
import { headFor, headTensors, initialClassifier, toCheckpointNames } from './head.js'

/** Index of the classifier's dropout among the random streams of a forward pass, after those of all layers. */
const DROPOUT_STREAM = 999

/** Heads that are one linear layer, by the name of their objective. */
export type ClassifierName =
  | 'sequence-classification'
  | 'token-classification'
  | 'span-extraction'
  | 'multiple-choice'
  | 'next-sentence-prediction'
  | 'sentence-order-prediction'

/**
 * Dropout and one linear layer with `size` outputs, on the pooled output (one result per text) or on the hidden states (one per
 * token). Parameters are named as in the family's checkpoints.
 * @param head the head of the model's family, by the name of its objective
 * @param rate dropout probability; default: that of the model's heads
 * @throws AttuneError `NO_SUCH_HEAD` if the family has no such head
 */
export function classifier(
  model: Model,
  head: ClassifierName,
  size: number,
  rate: Model['headDropout'] = model.headDropout,
) {
  const family = headFor(model, head)
  return {
    /** Name of the model class in `config.json`. */
    architecture: family.architecture,
    /** Random weights of the new layer. */
    init: (key: Key): Params => toCheckpointNames(family, initialClassifier(model, size, key)),
    /** Output of the layer: states `[…, hidden]` to `[…, size]`. */
    forward: (params: Params, states: Tensor, mode: Mode): Tensor =>
      linear(headTensors(family, params), 'classifier', dropout(states, rate, modeAt(mode, DROPOUT_STREAM)), {
        bias: 'classifier.bias' in family.tensors,
      }),
  }
}
