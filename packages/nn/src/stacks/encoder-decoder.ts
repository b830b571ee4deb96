import type { Cache, EncoderOutputs, Mode, Params, TextInputs } from '@attune/core'
import { type Tensor, add } from '@tensorflow/tfjs-core'
import { activation } from '../layers/activation.js'
import { type AttentionOptions, attentionBlock, splitHeads } from '../attention/attention.js'
import { defaultPositions, emptyCache } from '../attention/cache.js'
import { dropout, modeAt } from '../layers/dropout.js'
import { layerNorm } from '../layers/layer-norm.js'
import { linear } from '../layers/linear.js'
import {
  type AttentionInputs,
  type EncoderContext,
  attendProjected,
  crossAttention,
  selfAttention,
} from './decoder-attention.js'
import { type LayerContext, type StackOutputs, layerStack } from './layer-stack.js'
import { passEncoderDecoder } from './pass-encoder-decoder.js'

/** Side of an encoder–decoder model. */
export type Side = 'encoder' | 'decoder'

/** The size of one of the stacks. */
export interface StackSize {
  readonly layers: number
  readonly heads: number
  /** Width of the feed-forward layer. */
  readonly intermediate: number
}

/** Sizes of both stacks, from the option names of BART and Marian. */
export const stackSizes = (o: {
  readonly encoderLayers: number
  readonly encoderAttentionHeads: number
  readonly encoderFfnDim: number
  readonly decoderLayers: number
  readonly decoderAttentionHeads: number
  readonly decoderFfnDim: number
}): Record<Side, StackSize> => ({
  encoder: { layers: o.encoderLayers, heads: o.encoderAttentionHeads, intermediate: o.encoderFfnDim },
  decoder: { layers: o.decoderLayers, heads: o.decoderAttentionHeads, intermediate: o.decoderFfnDim },
})

/** Returns the empty KV cache of the decoder: a model's `cache`. */
export const decoderCache =
  ({ layers, heads }: StackSize, hidden: number) =>
  (batch: number, capacity: number): Cache =>
    emptyCache(layers, [batch, heads, capacity, hidden / heads])

/** Options of {@link encoderDecoder}. */
export interface EncoderDecoderOptions {
  readonly encoder: StackSize
  readonly decoder: StackSize
  /** Hugging Face name of the feed-forward activation. */
  readonly activation: string
  /**
   * Dropout probabilities: of each sub-layer's output before the residual sum, of the intermediate activations of the
   * feed-forward layer, and of attention weights.
   */
  readonly dropout: Readonly<Record<'added' | 'wide' | 'attention', number | Tensor>>
  /** Decoder start token. */
  readonly startTokenId: number
  /**
   * Embeds the input of a stack: ids `[batch, length]` to `[batch, length, hidden]`; position ids default to 0, 1, …
   */
  embed(side: Side, ids: Tensor, positions: Tensor | undefined, mode: Mode): Tensor
}

/** Added to the variance in norms: PyTorch's default, which all checkpoints use. */
const EPSILON = 1e-5

const nameOf = (side: Side, index: number): string => `model.${side}.layers.${index}`

/** Shapes of the parameters of all layers of both stacks, named as in BART and related models. */
export function encoderDecoderShapes(
  o: Pick<EncoderDecoderOptions, Side>,
  hidden: number,
): Record<string, readonly number[]> {
  const dense = (name: string, outputs: number, inputs: number) => ({
    [`${name}.weight`]: [outputs, inputs],
    [`${name}.bias`]: [outputs],
  })
  const norm = (name: string) => ({ [`${name}.weight`]: [hidden], [`${name}.bias`]: [hidden] })
  const attention = (name: string) => ({
    ...Object.assign({}, ...['q', 'k', 'v', 'out'].map((part) => dense(`${name}.${part}_proj`, hidden, hidden))),
    ...norm(`${name}_layer_norm`),
  })
  const layer = (side: Side, at: string) => ({
    ...attention(`${at}.self_attn`),
    ...(side === 'decoder' ? attention(`${at}.encoder_attn`) : {}),
    ...dense(`${at}.fc1`, o[side].intermediate, hidden),
    ...dense(`${at}.fc2`, hidden, o[side].intermediate),
    ...norm(`${at}.final_layer_norm`),
  })
  const stack = (side: Side) => Array.from({ length: o[side].layers }, (_, i) => layer(side, nameOf(side, i)))
  return Object.assign({}, ...stack('encoder'), ...stack('decoder'))
}

/**
 * One layer, `[batch, length, hidden]` to the same shape; each sub-layer is followed by a residual sum and a norm
 * (post-norm).
 */
function layer(
  o: EncoderDecoderOptions,
  params: Params,
  x: Tensor,
  bias: Tensor,
  context: EncoderContext | undefined,
  c: LayerContext,
): Tensor {
  const dense = (name: string, y: Tensor): Tensor => linear(params, `${c.at}.${name}`, y)
  const heads = o[context === undefined ? 'encoder' : 'decoder'].heads
  const addAndNorm = (y: Tensor, by: Tensor, norm: string, index: number): Tensor =>
    layerNorm(params, `${c.at}.${norm}`, add(y, dropout(by, o.dropout.added, modeAt(c.mode, index))), EPSILON)
  const attended = (name: string, index: number, it: AttentionInputs, options: AttentionOptions): Tensor => {
    const project = (part: string, y: Tensor): Tensor => splitHeads(dense(`${name}.${part}_proj`, y), heads) // [batch, heads, length, headSize]
    const mode = modeAt(c.mode, index)
    const projected = attentionBlock(params, `${c.at}.${name}`, it.queries, (queries) =>
      dense(`${name}.out_proj`, attendProjected({ ...it, queries }, project, o.dropout.attention, mode, options)),
    )
    return addAndNorm(it.queries, projected, `${name}_layer_norm`, index + 1)
  }
  const own = { pattern: { causal: context !== undefined }, onAttention: c.onAttention }
  let y = attended('self_attn', 0, selfAttention(x, bias, context, c), own)
  if (context !== undefined)
    y = attended('encoder_attn', 2, crossAttention(y, context, c), { onAttention: c.onCrossAttention })
  const wide = dropout(activation(o.activation)(dense('fc1', y)), o.dropout.wide, modeAt(c.mode, 4)) // [batch, length, intermediate]
  return addAndNorm(y, dense('fc2', wide), 'final_layer_norm', 5)
}

/** One stack, from its embedded input `[batch, length, hidden]` to its hidden states. */
function stackOf(
  o: EncoderDecoderOptions,
  params: Params,
  side: Side,
  { x, bias, context }: { readonly x: Tensor; readonly bias: Tensor; readonly context?: EncoderContext },
  mode: Mode,
): StackOutputs {
  const start = context?.start === undefined ? [] : [context.start]
  const others = [bias, ...(context === undefined ? [] : [context.states, context.bias, ...start])]
  const stack = {
    count: o[side].layers,
    at: (i: number) => nameOf(side, i),
    layer(own: Params, y: Tensor, [scores, states, padding, slot]: readonly Tensor[], c: LayerContext) {
      const seen = context && { states: states!, bias: padding!, start: slot, cache: context.cache }
      return layer(o, own, y, scores!, seen, c)
    },
  }
  return layerStack(params, x, others, mode, stack, context?.cache !== undefined)
}

/**
 * Post-norm encoder–decoder with biases everywhere, named as in BART; see {@link passEncoderDecoder}. `positionIds`
 * are the decoder's.
 * Source: Vaswani et al., Attention Is All You Need, 2017, section 3.
 */
export function encoderDecoder(
  params: Params,
  inputs: TextInputs,
  mode: Mode,
  o: EncoderDecoderOptions,
): EncoderOutputs {
  return passEncoderDecoder(inputs, mode, {
    startTokenId: o.startTokenId,
    encode(bias, encoderMode) {
      const x = o.embed('encoder', inputs.inputIds, undefined, modeAt(encoderMode, 0))
      return stackOf(o, params, 'encoder', { x, bias }, encoderMode)
    },
    decode(own, bias, context, decoderMode) {
      const positions = inputs.positionIds ?? (own.cache && defaultPositions(own))
      const x = o.embed('decoder', own.inputIds, positions, modeAt(decoderMode, 0))
      return stackOf(o, params, 'decoder', { x, bias, context }, decoderMode)
    },
  })
}
