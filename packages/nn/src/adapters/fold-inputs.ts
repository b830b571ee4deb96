import type { DataPass, EncoderOutputs, Model, OnHost, PassOptions, TextInputs, Tree } from '@attune/core'
import { type Tensor, cast, mul, reshape } from '@tensorflow/tfjs-core'
import { withHook } from '../layers/layer-hook.js'
import { requireComputed } from './adapt-layers.js'

/** A statistic of the inputs of a layer. */
export interface InputStatistic<S extends Tree> {
  /** The statistic of no inputs, for a layer with `size` input features. */
  start(size: number): S
  /** Adds the inputs of a batch, `[tokens, size]`. Those of padding are 0. */
  add(state: S, inputs: Tensor): S
}

/** The inputs of a layer `[rows, in]`, 0 in the rows of padding. */
function withoutPadding(x: Tensor, { attentionMask, decoderInputIds }: TextInputs): Tensor {
  const isToken = decoderInputIds === undefined && x.shape[0] === attentionMask.size
  return isToken ? mul(x, reshape(cast(attentionMask, 'float32'), [-1, 1])) : x
}

/** Computes the states, and the pooled vector if layers are left: outputs are computed when read. Language models need no pooler. */
function compute(outputs: EncoderOutputs, left: ReadonlySet<string>): Tensor {
  const { lastHiddenState } = outputs
  return left.size === 0 ? lastHiddenState : outputs.pooled
}

/**
 * Statistics of the inputs of linear layers over all tokens of the training data, by layer name. Padding counts as inputs of 0, except in
 * encoder–decoders, where it counts as tokens.
 * @param adapter its name, for the error
 * @param layers names of layers and the sizes of their inputs
 * @throws AttuneError `UNKNOWN_TARGET` if the model does not compute one of the layers as a linear layer
 */
export async function foldInputs<S extends Tree>(
  adapter: string,
  { pass, model, layers }: { pass: DataPass; model: Model; layers: ReadonlyMap<string, number> },
  { start, add }: InputStatistic<S>,
  options: PassOptions,
): Promise<Readonly<Record<string, OnHost<S>>>> {
  const computed = new Set<string>()
  const states = await pass.fold(
    (): Record<string, S> => Object.fromEntries([...layers].map(([name, size]) => [name, start(size)])),
    (state, { params, batch, mode }) => {
      const next: Record<string, S> = { ...state }
      const left = new Set(layers.keys())
      const inputs = batch.inputs as TextInputs
      const hooked = withHook(params, ({ name, kind }, x, apply) => {
        if (kind === 'linear' && layers.has(name)) {
          left.delete(name)
          computed.add(name)
          next[name] = add(next[name]!, withoutPadding(x, inputs))
        }
        return apply(x)
      })
      compute(model.forward(hooked, inputs, mode), left)
      return next
    },
    options,
  )
  requireComputed(adapter, [...layers.keys()], computed)
  const read = await pass.read(states)
  pass.release(states)
  return read as unknown as Record<string, OnHost<S>>
}
