import type { Cache, EncoderOutputs, Mode, Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { fold } from './dropout.js'
import { under } from './parameter.js'
import { recomputed } from './recomputed.js'

/** What a layer is told besides its parameters and its input. */
export interface LayerContext {
  /** Which layer it is, from 0. */
  readonly index: number
  /** What its parameters' names begin with, without the dot at the end. */
  readonly at: string
  readonly mode: Mode
  /** Where to give the attention weights, when they are kept. */
  readonly record?: ((weights: Tensor) => void) | undefined
  /** Where to give the weights of attention to what an encoder gave, when they are kept. */
  readonly recordAcross?: ((weights: Tensor) => void) | undefined
  /** Where to give keys and values with the new ones in them, when there is a cache. */
  readonly remember?: ((name: string, tensor: Tensor) => void) | undefined
}

/** A stack of like layers. */
export interface LayerStack {
  readonly count: number
  /** What the names of a layer's parameters begin with, without the dot at the end. */
  at(index: number): string
  /** One layer: `[batch, length, hidden]` to the same. `others` are the tensors that all layers read. */
  layer(own: Params, x: Tensor, others: readonly Tensor[], context: LayerContext): Tensor
  /** What comes after the last layer: a norm, say. It is a part of the last hidden state that is kept. */
  finish?(x: Tensor): Tensor
}

/** The states after the last layer, and what was kept on the way. */
export interface Stacked {
  readonly x: Tensor
  readonly kept: Pick<EncoderOutputs, 'hiddenStates' | 'attentions' | 'crossAttentions' | 'cache'>
}

const byPlace = (tensors: readonly Tensor[]): Record<string, Tensor> => Object.fromEntries(tensors.entries())

/** What was kept in an encoder, as outputs of an encoder–decoder. */
export const keptInEncoder = ({
  hiddenStates,
  attentions,
}: Stacked['kept']): Pick<EncoderOutputs, 'encoderHiddenStates' | 'encoderAttentions'> => ({
  ...(hiddenStates === undefined ? {} : { encoderHiddenStates: hiddenStates }),
  ...(attentions === undefined ? {} : { encoderAttentions: attentions }),
})

/**
 * Applies the layers of a stack one after another, each with randomness of its own. Layers are computed again for their
 * gradients where `mode` says so and nothing is kept. A tensor that is computed before and that a layer reads must be among
 * `others`.
 * @param cached whether layers will `remember`
 */
export function layerStack(
  params: Params,
  input: Tensor,
  others: readonly Tensor[],
  mode: Mode,
  { count, at, layer, finish = (y) => y }: LayerStack,
  cached = false,
): Stacked {
  const [states, weights, across] = [[input], [] as Tensor[], [] as Tensor[]]
  const cache: Record<string, Tensor> = {}
  const keeps = (what: 'hiddenStates' | 'attentions'): boolean => mode.keep?.includes(what) === true
  let x = input
  for (let index = 0; index < count; index++) {
    const name = at(index)
    const context: LayerContext = {
      index,
      at: name,
      mode: fold(mode, index + 1),
      ...(keeps('attentions')
        ? { record: (tensor) => weights.push(tensor), recordAcross: (tensor) => across.push(tensor) }
        : {}),
      ...(cached ? { remember: (key, tensor) => (cache[`${index}.${key}`] = tensor) } : {}),
    }
    const apply = (own: Params, y: Tensor, ...rest: Tensor[]): Tensor => layer(own, y, rest, context)
    const how: Mode = cached || mode.keep !== undefined ? { training: false } : mode
    x = recomputed(apply, under(params, `${name}.`), [x, ...others], how)
    states.push(x)
  }
  x = finish(x)
  states.splice(-1, 1, x)
  return {
    x,
    kept: {
      ...(keeps('hiddenStates') ? { hiddenStates: byPlace(states) } : {}),
      ...(keeps('attentions') ? { attentions: byPlace(weights) } : {}),
      ...(across.length > 0 ? { crossAttentions: byPlace(across) } : {}),
      ...(cached ? { cache: cache as Cache } : {}),
    },
  }
}
