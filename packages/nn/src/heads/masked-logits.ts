import type { Head, Key, Model, Params } from '@attune/core'
import { type Tensor, add } from '@tensorflow/tfjs-core'
import { activation } from '../layers/activation.js'
import { headTensors, toCheckpointNames } from './head.js'
import { filledWith, normal } from '../layers/initialise.js'
import { layerNorm } from '../layers/layer-norm.js'
import { linear } from '../layers/linear.js'
import { tokenProducts } from './token-products.js'

/**
 * Logits over the vocabulary of masked tokens, from their hidden states `[…, hidden]` to `[…, vocabulary]`: a linear
 * layer, the head's `activation`, a norm, and the tied word embeddings. Biases are applied if the head has them.
 * Source: Devlin et al., BERT, 2019, as `BertLMPredictionHead` of the Hugging Face transformers library (Python).
 */
export function maskedLogits(model: Model, head: Head, params: Params, states: Tensor): Tensor {
  const own = headTensors(head, params)
  const dense = linear(own, 'dense', states, { bias: 'dense.bias' in own })
  const active = activation(head.activation ?? 'gelu')(dense)
  const normal = layerNorm(own, 'norm', active, head.epsilon ?? 1e-12, { bias: 'norm.bias' in own })
  const logits = tokenProducts(params, model.wordEmbeddings, normal)
  return own['bias'] === undefined ? logits : add(logits, own['bias'])
}

/**
 * Initial parameters of the head of {@link maskedLogits}: random weights of the linear layer, and a norm and biases without effect. The weight
 * of the last layer is that of the word embeddings.
 * @param vocabulary number of logits
 */
export function initialMaskedHead(model: Model, head: Head, vocabulary: number, key: Key): Params {
  const width = head.width ?? model.hiddenSize
  return toCheckpointNames(head, {
    'dense.weight': normal(key, [width, model.hiddenSize], model.initializerRange),
    'dense.bias': filledWith([width], 0),
    'norm.weight': filledWith([width], 1),
    'norm.bias': filledWith([width], 0),
    bias: filledWith([vocabulary], 0),
  })
}
