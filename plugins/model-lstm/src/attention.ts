import type { Params } from '@attune/core'
import { linear, takeRows } from '@attune/nn'
import {
  type Tensor,
  add,
  cast,
  customGrad,
  expandDims,
  log,
  matMul,
  maximum,
  mul,
  range,
  reshape,
  scatterND,
  sigmoid,
  softmax,
  sub,
  tanh,
  transpose,
} from '@tensorflow/tfjs-core'
import type { Options } from './options.js'

/** Added to the score of padding: its exponential is 0 in float32. */
const MASKED = -1e9

/** Shapes of the parameters of {@link attend}, for encoder states of size `width`. */
export function attentionShapes(o: Options, width: number): Record<string, readonly number[]> {
  const key = o.attention === 'dot' ? {} : { 'attention.key.weight': [o.hiddenSize, width] }
  const additive = {
    'attention.query.weight': [o.hiddenSize, o.hiddenSize],
    'attention.query.bias': [o.hiddenSize],
    'attention.score.weight': [1, o.hiddenSize],
  }
  const combine = { 'attention.combine.weight': [o.hiddenSize, width + o.hiddenSize] }
  return { ...key, ...(o.attention === 'additive' ? additive : {}), ...combine }
}

/**
 * Attention scores of the encoder states, `[batch, queries, keys]`: `v·tanh(W·key + U·query + b)` (Bahdanau et al., 2015, appendix A.1.2),
 * `queryᵀ·W·key` or `queryᵀ·key` (Luong et al., 2015, section 3.1).
 */
function scoresOf({ attention }: Options, params: Params, queries: Tensor, states: Tensor): Tensor {
  const keys = attention === 'dot' ? states : linear(params, 'attention.key', states, { bias: false })
  if (attention !== 'additive') return matMul(queries, keys, false, true)
  const query = expandDims(linear(params, 'attention.query', queries), 2) // [batch, queries, 1, hidden]
  const hidden = tanh(add(query, expandDims(keys, 1))) // [batch, queries, keys, hidden]
  return reshape(linear(params, 'attention.score', hidden, { bias: false }), hidden.shape.slice(0, 3))
}

/**
 * Attention of `queries` `[batch, queries, hidden]` to `states` `[batch, keys, width]` where `mask` `[batch, keys]` is 1: `weights`
 * `[batch, queries, keys]`, which sum to 1, and `context` `[batch, queries, width]`, the weighted mean of the states.
 */
export function attend(o: Options, params: Params, queries: Tensor, states: Tensor, mask: Tensor) {
  const padding = mul(sub(1, cast(expandDims(mask, 1), 'float32')), MASKED) // [batch, 1, keys]
  const weights = softmax(add(scoresOf(o, params, queries, states), padding))
  return { weights, context: matMul(weights, states) }
}

/**
 * Adds `rows` `[n, width]` at int32 `ids` `[n]` to a table `[entries, width]` of zeros. The scatter of TF.js has no gradient.
 */
const addRows = (rows: Tensor, ids: Tensor, entries: number): Tensor =>
  customGrad((input, save) => {
    ;(save as (tensors: Tensor[]) => void)([ids])
    return {
      value: scatterND(expandDims(ids, 1), input as Tensor, [entries, rows.shape[1] as number]),
      gradFunc: (g: Tensor, saved: Tensor[]) => takeRows(g, saved[0]!),
    }
  })(rows)

/** Attention weights summed over the positions of each token: `[batch, queries, keys]` to `[batch, queries, vocabulary]`. */
function byToken(weights: Tensor, ids: Tensor, vocabulary: number): Tensor {
  const [batch, queries, keys] = weights.shape as [number, number, number]
  const entries = add(ids, expandDims(range(0, batch * vocabulary, vocabulary, 'int32'), 1)) // [batch, keys]
  const rows = reshape(transpose(weights, [0, 2, 1]), [batch * keys, queries])
  const table = addRows(rows, reshape(entries, [-1]), batch * vocabulary)
  return transpose(reshape(table, [batch, vocabulary, queries]), [0, 2, 1])
}

/** Lower bound of probabilities, whose logarithm is finite in float32. */
const MINIMUM_PROBABILITY = 1e-37

/**
 * Logarithms of `p · softmax(logits) + (1 − p) · copied`: with probability `p` `[batch, queries, 1]`, whose logits are
 * `choice`, a token is generated from the vocabulary, else copied from `ids` `[batch, keys]` by the attention `weights`.
 * Source: See et al., Get To The Point, 2017, section 2.2.
 */
export function mixWithCopies(logits: Tensor, choice: Tensor, weights: Tensor, ids: Tensor): Tensor {
  const generates = sigmoid(choice)
  const copied = byToken(weights, ids, logits.shape[2] as number)
  const mixed = add(mul(generates, softmax(logits)), mul(sub(1, generates), copied))
  return log(maximum(mixed, MINIMUM_PROBABILITY))
}
