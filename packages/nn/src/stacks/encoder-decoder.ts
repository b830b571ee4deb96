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
import { type LayerContext, type Stacked, layerStack } from './layer-stack.js'
import { passEncoderDecoder } from './pass-encoder-decoder.js'

/** Which of the two stacks. */
export type Side = 'encoder' | 'decoder'

/** The size of one of the stacks. */
export interface StackSize {
  readonly layers: number
  readonly heads: number
  /** Width of the feed-forward layer. */
  readonly intermediate: number
}

/** The sizes of both stacks by the names that the options of BART and Marian have. */
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

/** An empty KV cache of the decoder: a model's `cache`. */
export const decoderCache =
  ({ layers, heads }: StackSize, hidden: number) =>
  (batch: number, capacity: number): Cache =>
    emptyCache(layers, [batch, heads, capacity, hidden / heads])

/** How {@link encoderDecoder} computes. */
export interface EncoderDecoderOptions {
  readonly encoder: StackSize
  readonly decoder: StackSize
  /** Of the feed-forward layers, by its Hugging Face name. */
  readonly activation: string
  /** Probabilities of dropout: of what each part of a layer adds, of the feed-forward layer inside, of attention weights. */
  readonly dropout: Readonly<Record<'added' | 'wide' | 'attention', number | Tensor>>
  /** The token that the decoder begins with. */
  readonly startTokenId: number
  /** What a stack begins with, `[batch, length, hidden]`, of ids `[batch, length]`; `places` default to 0, 1, … */
  embed(side: Side, ids: Tensor, places: Tensor | undefined, mode: Mode): Tensor
}

/** What is added to the variance in norms: PyTorch's default, which no checkpoint departs from. */
const EPSILON = 1e-5

const nameOf = (side: Side, index: number): string => `model.${side}.layers.${index}`

/** The shapes of the parameters of all layers of both stacks, by their names in BART and its kin. */
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

/** One layer, `[batch, length, hidden]` → the same; each part's sum with what it read is normalised. */
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
  const added = (y: Tensor, by: Tensor, norm: string, place: number): Tensor =>
    layerNorm(params, `${c.at}.${norm}`, add(y, dropout(by, o.dropout.added, modeAt(c.mode, place))), EPSILON)
  const attended = (name: string, place: number, it: AttentionInputs, options: AttentionOptions): Tensor => {
    const project = (part: string, y: Tensor): Tensor => splitHeads(dense(`${name}.${part}_proj`, y), heads) // [batch, heads, length, headSize]
    const mode = modeAt(c.mode, place)
    const projected = attentionBlock(params, `${c.at}.${name}`, it.queries, (queries) =>
      dense(`${name}.out_proj`, attendProjected({ ...it, queries }, project, o.dropout.attention, mode, options)),
    )
    return added(it.queries, projected, `${name}_layer_norm`, place + 1)
  }
  const own = { sight: { causal: context !== undefined }, record: c.record }
  let y = attended('self_attn', 0, selfAttention(x, bias, context, c), own)
  if (context !== undefined) y = attended('encoder_attn', 2, crossAttention(y, context, c), { record: c.recordAcross })
  const wide = dropout(activation(o.activation)(dense('fc1', y)), o.dropout.wide, modeAt(c.mode, 4)) // [batch, length, intermediate]
  return added(y, dense('fc2', wide), 'final_layer_norm', 5)
}

/** One stack: what it begins with, `[batch, length, hidden]`, to its states. */
function stackOf(
  o: EncoderDecoderOptions,
  params: Params,
  side: Side,
  { x, bias, context }: { readonly x: Tensor; readonly bias: Tensor; readonly context?: EncoderContext },
  mode: Mode,
): Stacked {
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
 * An encoder and a decoder that attends to what the encoder gives, both normalised after each part of a layer, with biases
 * everywhere, named as in BART; see {@link passEncoderDecoder}. `positionIds` are the decoder's.
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
    encode(bias, reading) {
      const x = o.embed('encoder', inputs.inputIds, undefined, modeAt(reading, 0))
      return stackOf(o, params, 'encoder', { x, bias }, reading)
    },
    decode(own, bias, context, writing) {
      const places = inputs.positionIds ?? (own.cache && defaultPositions(own))
      const x = o.embed('decoder', own.inputIds, places, modeAt(writing, 0))
      return stackOf(o, params, 'decoder', { x, bias, context }, writing)
    },
  })
}
