import type { Cache, EncoderOutputs, Mode, Params } from '@attune/core'
import { type Tensor, slice, squeeze } from '@tensorflow/tfjs-core'
import { modeAt } from '../layers/dropout.js'
import { under } from '../layers/parameter.js'
import { activationCheckpoint } from './activation-checkpoint.js'

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
  /** Of what the layer gives only the first token's state is read: it may give that alone, `[batch, 1, hidden]`. */
  readonly onlyFirst?: boolean
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

/**
 * What a stack gives. The last layer is computed when its states are read: for the first token of each text alone, if nothing
 * else is read, as with a classifier. That saves most of a layer.
 */
export interface Stacked {
  /** The states after the last layer, `[batch, length, hidden]`. */
  readonly x: Tensor
  /** Those of the first tokens, `[batch, hidden]`. */
  readonly first: Tensor
  /** What was kept on the way. */
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

/** The first token of each text: `[batch, length, hidden]` to `[batch, 1, hidden]`. */
export const firstToken = (x: Tensor): Tensor => slice(x, [0, 0, 0], [-1, 1, -1])

/** What the first query of each head has: `[batch, heads or 1, queries or 1, n]` to `[batch, heads or 1, 1, n]`. */
export const firstQuery = (x: Tensor): Tensor => slice(x, [0, 0, 0, 0], [-1, -1, 1, -1])

/** The states after a last layer, and those of the first tokens; either is computed when it is first read. */
function whenRead(last: (onlyFirst: boolean) => Tensor, known: Tensor | undefined): Omit<Stacked, 'kept'> {
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
  const keepsSome = cached || mode.keep !== undefined
  const apply = (index: number, x: Tensor, onlyFirst: boolean): Tensor => {
    const name = at(index)
    const context: LayerContext = {
      index,
      at: name,
      mode: modeAt(mode, index + 1),
      onlyFirst,
      ...(keeps('attentions')
        ? { record: (tensor) => weights.push(tensor), recordAcross: (tensor) => across.push(tensor) }
        : {}),
      ...(cached ? { remember: (key, tensor) => (cache[`${index}.${key}`] = tensor) } : {}),
    }
    const one = (own: Params, y: Tensor, ...rest: Tensor[]): Tensor => layer(own, y, rest, context)
    return activationCheckpoint(one, under(params, `${name}.`), [x, ...others], keepsSome ? { training: false } : mode)
  }
  for (let index = 0; index < count - 1; index++) states.push(apply(index, states.at(-1)!, false))
  const before = states.at(-1)!
  const last = (onlyFirst: boolean): Tensor => finish(count === 0 ? before : apply(count - 1, before, onlyFirst))
  const whole = keepsSome ? last(false) : undefined
  if (whole !== undefined) states.splice(count, 1, whole)
  const kept: Stacked['kept'] = {
    ...(keeps('hiddenStates') ? { hiddenStates: byPlace(states) } : {}),
    ...(keeps('attentions') ? { attentions: byPlace(weights) } : {}),
    ...(across.length > 0 ? { crossAttentions: byPlace(across) } : {}),
    ...(cached ? { cache: cache as Cache } : {}),
  }
  return Object.assign(whenRead(last, whole), { kept })
}

/** What an encoder gives, `pooled` from the states of its stack; either is computed when it is read. */
export function encoderOutputs(stacked: Stacked, pool: (states: Stacked) => Tensor): EncoderOutputs {
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
