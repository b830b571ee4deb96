import type { Head, Model, Params } from '@attune/core'
import { type Tensor, add, matMul } from '@tensorflow/tfjs-core'
import { activation } from '../layers/activation.js'
import { headTensors } from './head.js'
import { layerNorm } from '../layers/layer-norm.js'
import { linear } from '../layers/linear.js'
import { parameter } from '../layers/parameter.js'

/**
 * Logits of the vocabulary for hidden tokens, from their states `[…, hidden]` to `[…, vocabulary]`: a dense layer, the head's `activation`, a
 * norm, and the word embeddings once more as the last layer. Biases are those that the head has.
 * Source: Devlin et al., BERT, 2019, in the form of the Hugging Face library's `BertLMPredictionHead`.
 */
export function maskedLogits(model: Model, head: Head, params: Params, states: Tensor): Tensor {
  const own = headTensors(head, params)
  const dense = linear(own, 'dense', states, { bias: 'dense.bias' in own })
  const active = activation(head.activation ?? 'gelu')(dense)
  const normal = layerNorm(own, 'norm', active, head.epsilon ?? 1e-12, { bias: 'norm.bias' in own })
  const logits = matMul(normal, parameter(params, model.wordEmbeddings), false, true)
  return own['bias'] === undefined ? logits : add(logits, own['bias'])
}
