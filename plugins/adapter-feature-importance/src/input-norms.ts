import type { DataPass, EncoderOutputs, Model, Params, PassOptions, TextInputs } from '@attune/core'
import { asScores, requireComputed, withHook } from '@attune/nn'
import { type Tensor, add, cast, mul, reshape, square, sum, zeros } from '@tensorflow/tfjs-core'

/** Squares of the features of a layer's input `[rows, in]`, summed over rows that are not padding: `[in]`. */
function squares(x: Tensor, { attentionMask, decoderInputIds }: TextInputs): Tensor {
  const isToken = decoderInputIds === undefined && x.shape[0] === attentionMask.size
  return sum(isToken ? mul(square(x), reshape(cast(attentionMask, 'float32'), [-1, 1])) : square(x), 0)
}

/** Computes the states, and the pooled vector if layers are left: outputs are computed when read. Language models need no pooler. */
function compute(outputs: EncoderOutputs, left: ReadonlySet<string>): Tensor {
  const { lastHiddenState } = outputs
  return left.size === 0 ? lastHiddenState : outputs.pooled
}

/**
 * L2 norms of the input features of linear layers over all tokens of the training data, `[in]` by layer name. Padding counts as zero, except
 * in encoder–decoders, where it counts as tokens.
 * @param layers names of layers and the sizes of their inputs
 * @throws AttuneError `UNKNOWN_TARGET` if the model does not compute one of the layers as a linear layer
 */
export async function inputNorms(
  pass: DataPass,
  model: Model,
  layers: ReadonlyMap<string, number>,
  options: PassOptions,
): Promise<Readonly<Record<string, Float64Array>>> {
  const computed = new Set<string>()
  const sums = await pass.fold(
    (): Params => Object.fromEntries([...layers].map(([name, size]) => [name, zeros([size])])),
    (state, { params, batch, mode }) => {
      const next: Record<string, Tensor> = { ...state }
      const left = new Set(layers.keys())
      const inputs = batch.inputs as TextInputs
      const hooked = withHook(params, ({ name, kind }, x, apply) => {
        if (kind === 'linear' && layers.has(name)) {
          left.delete(name)
          computed.add(name)
          next[name] = add(next[name]!, squares(x, inputs))
        }
        return apply(x)
      })
      compute(model.forward(hooked, inputs, mode), left)
      return next
    },
    options,
  )
  requireComputed('feature-importance', [...layers.keys()], computed)
  const read = asScores(await pass.read(sums))
  pass.release(sums)
  return Object.fromEntries(
    Object.entries(read).map(([name, { values }]) => [name, Float64Array.from(values, Math.sqrt)]),
  )
}
