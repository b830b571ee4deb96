import type { Head, Model, Params } from '@attune/core'
import { type Tensor, add, div, mul, reshape, tanh } from '@tensorflow/tfjs-core'
import { stopGradient } from '../engine/stop-gradient.js'
import { parameter } from '../layers/parameter.js'
import { tokenProducts } from './token-products.js'

/**
 * Logits over the vocabulary from the last hidden states, `[…, hidden]` to `[…, vocabulary]`. The output weight is
 * the head's `weight` `[vocabulary, hidden]` or, with tied embeddings, the word embeddings; the head may have a
 * trained `bias` and an untrained `fixedBias`. Scaling and soft-capping follow the head's options.
 */
export function tokenLogits(model: Model, head: Head, params: Params, states: Tensor): Tensor {
  const flat = reshape(states, [-1, states.shape.at(-1) as number])
  const scaled = head.scale === undefined ? flat : mul(flat, head.scale)
  const products = tokenProducts(params, head.tensors['weight'] ?? model.wordEmbeddings, scaled)
  const { bias, fixedBias } = head.tensors
  const biased = bias === undefined ? products : add(products, parameter(params, bias))
  const logits = fixedBias === undefined ? biased : add(biased, stopGradient(parameter(params, fixedBias)))
  const capped = head.softcap === undefined ? logits : mul(tanh(div(logits, head.softcap)), head.softcap)
  return reshape(capped, [...states.shape.slice(0, -1), products.shape[1] as number])
}
