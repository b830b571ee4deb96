import type { Cache, EncoderOutputs, Mode, Params } from '@attune/core'
import { type Tensor, slice, squeeze } from '@tensorflow/tfjs-core'
import { modeAt } from '../layers/dropout.js'
import { hookOf } from '../layers/layer-hook.js'
import { under } from '../layers/parameter.js'
import { activationCheckpoint } from './activation-checkpoint.js'

/** Context of a layer, in addition to its parameters and input. */
export interface LayerContext {
  /** Index of the layer, from 0. */
  readonly index: number
  /** Prefix of the names of its parameters, without the trailing dot. */
  readonly at: string
  readonly mode: Mode
  /** Receives the attention weights, if they are kept. */
  readonly onAttention?: ((weights: Tensor) => void) | undefined
  /** Receives the cross-attention weights, if they are kept. */
  readonly onCrossAttention?: ((weights: Tensor) => void) | undefined
  /** True if only the first token's state is read: the layer may then return `[batch, 1, hidden]`. */
  readonly firstTokenOnly?: boolean
  /** Receives the updated keys and values, if there is a KV cache. */
  readonly updateCache?: ((name: string, tensor: Tensor) => void) | undefined
}

/** A stack of identically structured layers. */
export interface LayerStack {
  readonly count: number
  /** Prefix of the names of a layer's parameters, without the trailing dot. */
  at(index: number): string
  /** One layer: `[batch, length, hidden]` to the same shape. `others` are the tensors that all layers read. */
  layer(own: Params, x: Tensor, others: readonly Tensor[], context: LayerContext): Tensor
  /** Applied after the last layer, for example a norm; included in the last hidden state that is kept. */
  finish?(x: Tensor): Tensor
}

/**
 * Outputs of a stack. The last layer is computed lazily when its states are read: only for the first token of each
 * text if nothing else is read, as with a classifier, which saves most of a layer.
 */
export interface StackOutputs {
  /** Hidden states after the last layer, `[batch, length, hidden]`. */
  readonly x: Tensor
  /** Hidden states of the first tokens, `[batch, hidden]`. */
  readonly first: Tensor
  /** Kept intermediates. */
  readonly kept: Pick<EncoderOutputs, 'hiddenStates' | 'attentions' | 'crossAttentions' | 'cache'>
}

const byIndex = (tensors: readonly Tensor[]): Record<string, Tensor> => Object.fromEntries(tensors.entries())

/** Kept intermediates of an encoder, as outputs of an encoder–decoder. */
export const keptInEncoder = ({
  hiddenStates,
  attentions,
}: StackOutputs['kept']): Pick<EncoderOutputs, 'encoderHiddenStates' | 'encoderAttentions'> => ({
  ...(hiddenStates === undefined ? {} : { encoderHiddenStates: hiddenStates }),
  ...(attentions === undefined ? {} : { encoderAttentions: attentions }),
})

/** The first token of each text: `[batch, length, hidden]` to `[batch, 1, hidden]`. */
export const firstToken = (x: Tensor): Tensor => slice(x, [0, 0, 0], [-1, 1, -1])

/** Row of the first query of each head: `[batch, heads or 1, queries or 1, n]` to `[batch, heads or 1, 1, n]`. */
export const firstQuery = (x: Tensor): Tensor => slice(x, [0, 0, 0, 0], [-1, -1, 1, -1])

/** Hidden states after the last layer, and those of the first tokens; each is computed when first read. */
function lazyOutputs(last: (onlyFirst: boolean) => Tensor, known: Tensor | undefined): Omit<StackOutputs, 'kept'> {
  let [whole, first] = [known, undefined as Tensor | undefined]
  return {
    get x() {
      return (whole ??= last(false))
    },
    get first() {
      return (first ??= squeeze(firstToken(whole ?? last(true)), [1]))
    },
  }
}

/** Output of a layer, which a hook may intercept in training. */
function hookedLayer(
  params: Params,
  { index, count, mode }: Pick<LayerContext, 'index' | 'mode'> & Pick<LayerStack, 'count'>,
  x: Tensor,
  compute: () => Tensor,
): Tensor {
  const hook = hookOf(params)
  if (!mode.training || hook?.layer === undefined) return compute()
  const y = compute()
  return hook.layer({ index, count, key: mode.key }, y.shape[1] === x.shape[1] ? x : firstToken(x), () => y)
}

/**
 * Applies the layers of a stack in order, each with its own random stream. With gradient checkpointing, layers are
 * computed again in the backward pass unless something is kept. Every earlier tensor that a layer reads must be in
 * `others`.
 * @param cached true if layers call `updateCache`
 */
export function layerStack(
  params: Params,
  input: Tensor,
  others: readonly Tensor[],
  mode: Mode,
  { count, at, layer, finish = (y) => y }: LayerStack,
  cached = false,
): StackOutputs {
  const [states, weights, across, cache] = [[input], [] as Tensor[], [] as Tensor[], {} as Record<string, Tensor>]
  const keeps = (what: 'hiddenStates' | 'attentions'): boolean => mode.keep?.includes(what) === true
  const keepsAny = cached || mode.keep !== undefined
  const apply = (index: number, x: Tensor, firstTokenOnly: boolean): Tensor => {
    const context: LayerContext = {
      index,
      at: at(index),
      mode: modeAt(mode, index + 1),
      firstTokenOnly,
      ...(keeps('attentions')
        ? { onAttention: (tensor) => weights.push(tensor), onCrossAttention: (tensor) => across.push(tensor) }
        : {}),
      ...(cached ? { updateCache: (key, tensor) => (cache[`${index}.${key}`] = tensor) } : {}),
    }
    const one = (own: Params, y: Tensor, ...rest: Tensor[]): Tensor => layer(own, y, rest, context)
    return hookedLayer(params, { ...context, count }, x, () =>
      activationCheckpoint(one, under(params, `${context.at}.`), [x, ...others], keepsAny ? { training: false } : mode),
    )
  }
  for (let index = 0; index < count - 1; index++) states.push(apply(index, states.at(-1)!, false))
  const before = states.at(-1)!
  const last = (onlyFirst: boolean): Tensor => finish(count === 0 ? before : apply(count - 1, before, onlyFirst))
  const whole = keepsAny ? last(false) : undefined
  if (whole !== undefined) states.splice(count, 1, whole)
  const kept: StackOutputs['kept'] = {
    ...(keeps('hiddenStates') ? { hiddenStates: byIndex(states) } : {}),
    ...(keeps('attentions') ? { attentions: byIndex(weights) } : {}),
    ...(across.length > 0 ? { crossAttentions: byIndex(across) } : {}),
    ...(cached ? { cache: cache as Cache } : {}),
  }
  return Object.assign(lazyOutputs(last, whole), { kept })
}

/** Outputs of an encoder; `pooled` is computed from the states of its stack. Both are computed when read. */
export function encoderOutputs(stacked: StackOutputs, pool: (states: StackOutputs) => Tensor): EncoderOutputs {
  let pooled: Tensor | undefined
  return {
    get lastHiddenState() {
      return stacked.x
    },
    get pooled() {
      return (pooled ??= pool(stacked))
    },
    ...stacked.kept,
  }
}
