import type { Params } from '@attune/core'
import { type Tensor, add } from '@tensorflow/tfjs-core'
import { activation } from '../layers/activation.js'
import { attention, attentionBlock } from '../attention/attention.js'
import { dropout, modeAt } from '../layers/dropout.js'
import { layerNorm } from '../layers/layer-norm.js'
import { type LayerContext, firstQuery, firstToken } from './layer-stack.js'
import { linear } from '../layers/linear.js'

/** A family's names of the sub-layers, relative to the layer's name. */
export interface EncoderLayerNames {
  /** Prefix of the names of the attention projections. */
  readonly block: string
  readonly query: string
  readonly key: string
  readonly value: string
  /** Output projection of attention, and the norm of its residual sum. */
  readonly attentionOutput: string
  readonly attentionNorm: string
  /** Intermediate (up) and output (down) projection of the feed-forward layer, and the norm of its residual sum. */
  readonly intermediate: string
  readonly output: string
  readonly norm: string
}

/** Options of {@link encoderLayer}. */
export interface EncoderLayerOptions {
  readonly names: EncoderLayerNames
  readonly heads: number
  /** Hugging Face name of the feed-forward activation. */
  readonly activation: string
  readonly epsilon: number
  /** Dropout probabilities of the outputs of attention and of the feed-forward layer. */
  readonly dropout: { readonly attended: number | Tensor; readonly narrow: number | Tensor }
  readonly attentionDropout: number | Tensor
}

/**
 * Post-norm encoder layer, as in the original transformer and in BERT: `[batch, length, hidden]` to the same shape,
 * or to `[batch, 1, hidden]` if only the first token is read. `bias` is the additive attention mask.
 * Source: Vaswani et al., Attention Is All You Need, 2017, section 3.1.
 */
export function encoderLayer(
  params: Params,
  x: Tensor,
  bias: Tensor,
  o: EncoderLayerOptions,
  { at, mode, onAttention, firstTokenOnly = false }: LayerContext,
): Tensor {
  const dense = (name: string, y: Tensor): Tensor => linear(params, `${at}.${name}`, y)
  const added = (y: Tensor, to: Tensor, norm: string, rate: number | Tensor, index: number): Tensor =>
    layerNorm(params, `${at}.${norm}`, add(dropout(y, rate, modeAt(mode, index)), to), o.epsilon)
  const queriesOf = (y: Tensor): Tensor => (firstTokenOnly ? firstToken(y) : y) // [batch, length or 1, hidden]
  const scored = firstTokenOnly ? firstQuery(bias) : bias
  const projected = attentionBlock(params, `${at}.${o.names.block}`, x, (y) => {
    const heads = {
      q: dense(o.names.query, queriesOf(y)),
      k: dense(o.names.key, y),
      v: dense(o.names.value, y),
      bias: scored,
    }
    return dense(
      o.names.attentionOutput,
      attention(heads, o.heads, o.attentionDropout, modeAt(mode, 0), { onAttention }),
    )
  })
  const attended = added(projected, queriesOf(x), o.names.attentionNorm, o.dropout.attended, 1)
  const wide = activation(o.activation)(dense(o.names.intermediate, attended)) // [batch, length, intermediate]
  return added(dense(o.names.output, wide), attended, o.names.norm, o.dropout.narrow, 2)
}

/** Shapes of a layer's parameters by name. */
export function encoderLayerShapes(
  at: string,
  names: EncoderLayerNames,
  hidden: number,
  intermediate: number,
): Record<string, readonly number[]> {
  const dense = (name: string, outputs: number, inputs: number) => ({
    [`${at}.${name}.weight`]: [outputs, inputs],
    [`${at}.${name}.bias`]: [outputs],
  })
  const norm = (name: string) => ({ [`${at}.${name}.weight`]: [hidden], [`${at}.${name}.bias`]: [hidden] })
  return {
    ...dense(names.query, hidden, hidden),
    ...dense(names.key, hidden, hidden),
    ...dense(names.value, hidden, hidden),
    ...dense(names.attentionOutput, hidden, hidden),
    ...norm(names.attentionNorm),
    ...dense(names.intermediate, intermediate, hidden),
    ...dense(names.output, hidden, intermediate),
    ...norm(names.norm),
  }
}

/** Names of BERT and RoBERTa. */
export const BERT_LAYER: EncoderLayerNames = {
  block: 'attention',
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  attentionOutput: 'attention.output.dense',
  attentionNorm: 'attention.output.LayerNorm',
  intermediate: 'intermediate.dense',
  output: 'output.dense',
  norm: 'output.LayerNorm',
}
