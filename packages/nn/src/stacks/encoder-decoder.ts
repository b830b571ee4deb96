import type { Cache, EncoderOutputs, Mode, Params, TextInputs } from '@attune/core'
import { type Tensor, add, concat, fill, slice } from '@tensorflow/tfjs-core'
import { activation } from '../layers/activation.js'
import { attendHeads, joinHeads, splitHeads } from '../attention/attention.js'
import { type Sight, attentionBias, paddingBias } from '../attention/attention-bias.js'
import { defaultPositions, writeCache } from '../attention/cache.js'
import { madeOnce } from '../attention/cross-attention.js'
import { dropout, fold } from '../layers/dropout.js'
import { lastToken } from '../heads/last-token.js'
import { layerNorm } from '../layers/layer-norm.js'
import { type LayerContext, type Stacked, keptInEncoder, layerStack } from './layer-stack.js'
import { linear } from '../layers/linear.js'

/** Which of the two stacks. */
export type Side = 'encoder' | 'decoder'

/** The size of one of the stacks. */
export interface StackSize {
  readonly layers: number
  readonly heads: number
  /** Width of the feed-forward layer. */
  readonly intermediate: number
}

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

/** What an attention layer reads: its queries' states, its keys', and the bias; and where keys and values come from. */
interface Attended {
  readonly queries: Tensor
  readonly keys: Tensor
  readonly bias: Tensor
  readonly sight?: Sight
  readonly held: (name: 'key' | 'value', make: () => Tensor) => Tensor
}

/** What the layers of a decoder read besides: what the encoder gave, where it is padding, and the decoder's cache. */
interface Across {
  readonly states: Tensor
  readonly bias: Tensor
  readonly start: Tensor | undefined
  readonly cache: Cache | undefined
}

/** One layer, `[batch, length, hidden]` → the same; each part's sum with what it read is normalised. */
function layer(
  o: EncoderDecoderOptions,
  params: Params,
  x: Tensor,
  bias: Tensor,
  across: Across | undefined,
  c: LayerContext,
): Tensor {
  const dense = (name: string, y: Tensor): Tensor => linear(params, `${c.at}.${name}`, y)
  const heads = o[across === undefined ? 'encoder' : 'decoder'].heads
  const added = (y: Tensor, by: Tensor, norm: string, place: number): Tensor =>
    layerNorm(params, `${c.at}.${norm}`, add(y, dropout(by, o.dropout.added, fold(c.mode, place))), EPSILON)
  const attended = (name: string, place: number, it: Attended, record?: LayerContext['record']): Tensor => {
    const part = (one: string, y: Tensor): Tensor => splitHeads(dense(`${name}.${one}_proj`, y), heads) // [batch, heads, length, headSize]
    const [k, v] = [it.held('key', () => part('k', it.keys)), it.held('value', () => part('v', it.keys))]
    const all = { q: part('q', it.queries), k, v, bias: it.bias }
    const mixed = joinHeads(attendHeads(all, o.dropout.attention, fold(c.mode, place), { sight: it.sight, record }))
    return added(it.queries, dense(`${name}.out_proj`, mixed), `${name}_layer_norm`, place + 1)
  }
  const held = (name: string, make: () => Tensor): Tensor => {
    if (across?.cache === undefined) return make()
    const all = writeCache(across.cache[`${c.index}.${name}`]!, make(), across.start!)
    c.remember?.(name, all)
    return all // [batch, heads, capacity, headSize]
  }
  const itself = { queries: x, keys: x, bias, sight: { causal: across !== undefined }, held }
  let y = attended('self_attn', 0, itself, c.record)
  if (across !== undefined) {
    const once = (name: string, make: () => Tensor): Tensor => madeOnce(c, across.cache, name, make)
    y = attended('encoder_attn', 2, { queries: y, keys: across.states, bias: across.bias, held: once }, c.recordAcross)
  }
  const wide = dropout(activation(o.activation)(dense('fc1', y)), o.dropout.wide, fold(c.mode, 4)) // [batch, length, intermediate]
  return added(y, dense('fc2', wide), 'final_layer_norm', 5)
}

/** One stack: what it begins with, `[batch, length, hidden]`, to its states. */
function stackOf(
  o: EncoderDecoderOptions,
  params: Params,
  side: Side,
  { x, bias, across }: { readonly x: Tensor; readonly bias: Tensor; readonly across?: Across },
  mode: Mode,
): Stacked {
  const start = across?.start === undefined ? [] : [across.start]
  const others = [bias, ...(across === undefined ? [] : [across.states, across.bias, ...start])]
  const stack = {
    count: o[side].layers,
    at: (i: number) => nameOf(side, i),
    layer(own: Params, y: Tensor, [scores, states, padding, slot]: readonly Tensor[], c: LayerContext) {
      const seen = across && { states: states!, bias: padding!, start: slot, cache: across.cache }
      return layer(o, own, y, scores!, seen, c)
    },
  }
  return layerStack(params, x, others, mode, stack, across?.cache !== undefined)
}

/** What the decoder reads; where nothing is said, what the encoder reads, one place later, behind the start token. */
function decoderInputs(startTokenId: number, inputs: TextInputs): Pick<TextInputs, 'inputIds' | 'attentionMask'> {
  const { inputIds, attentionMask, decoderInputIds, decoderAttentionMask } = inputs
  if (decoderInputIds !== undefined) {
    const all = (): Tensor => fill([...decoderInputIds.shape], 1, 'int32')
    return { inputIds: decoderInputIds, attentionMask: decoderAttentionMask ?? all() }
  }
  const [batch, length] = inputIds.shape as [number, number]
  const later = (x: Tensor, first: number): Tensor =>
    concat([fill([batch, 1], first, 'int32'), slice(x, [0, 0], [-1, length - 1])], 1)
  return { inputIds: later(inputIds, startTokenId), attentionMask: later(attentionMask, 1) }
}

/**
 * An encoder and a decoder that attends to what the encoder gives, both normalised after each part of a layer, with biases
 * everywhere, named as in BART. `pooled` is the decoder's state at the last token of what it reads; where `decoderInputIds`
 * are not given, at the place of the text's last token. The encoder is not run where `encoderStates` are given, nothing of it
 * is kept then, and
 * `positionIds` are the decoder's.
 * Source: Vaswani et al., Attention Is All You Need, 2017, section 3.
 */
export function encoderDecoder(
  params: Params,
  inputs: TextInputs,
  mode: Mode,
  o: EncoderDecoderOptions,
): EncoderOutputs {
  const { attentionMask, cache, cacheStart } = inputs
  const [reading, writing] = [fold(mode, 0), fold(mode, 1)]
  const bias = paddingBias(attentionMask)
  const encode = (): Stacked => {
    const x = o.embed('encoder', inputs.inputIds, undefined, fold(reading, 0))
    return stackOf(o, params, 'encoder', { x, bias }, reading)
  }
  const { x: states, kept: inEncoder } = inputs.encoderStates ? { x: inputs.encoderStates, kept: {} } : encode() // [batch, length, hidden]
  const given = decoderInputs(o.startTokenId, inputs)
  const own = { ...given, tokenTypeIds: given.inputIds, ...(cache && { cache, cacheStart: cacheStart! }) }
  const x = o.embed('decoder', own.inputIds, inputs.positionIds ?? (cache && defaultPositions(own)), fold(writing, 0))
  const across = { states, bias, start: cacheStart, cache }
  const sees = { x, bias: attentionBias(own, { causal: true }), across }
  const { x: last, kept } = stackOf(o, params, 'decoder', sees, writing)
  const ends = inputs.decoderInputIds === undefined ? { ...own, attentionMask } : own
  const pooled = lastToken(last, ends)
  return { lastHiddenState: last, pooled, encoderStates: states, ...kept, ...keptInEncoder(inEncoder) }
}
