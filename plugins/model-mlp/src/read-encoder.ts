import type { FrozenEncoder, Params, TextInputs } from '@attune/core'
import { meanPool, withoutGradient } from '@attune/nn'
import { concat, expandDims, reshape, slice } from '@tensorflow/tfjs-core'

/** The parameters of the encoder, under its own names. */
const own = (params: Params, prefix: string): Params =>
  Object.fromEntries(
    Object.entries(params)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  )

/** Vector of a text, `[batch, width]`, and of its tokens, `[batch, length, width]`, from a frozen encoder, without dropout. */
export function readEncoder({ model, prefix, reads }: FrozenEncoder, params: Params, inputs: TextInputs) {
  const both = withoutGradient(() => {
    const { lastHiddenState, pooled } = model.forward(own(params, prefix), inputs, { training: false })
    const text = reads === 'pooled' ? pooled : meanPool(lastHiddenState, inputs.attentionMask)
    return concat([expandDims(text, 1), lastHiddenState], 1)
  }) // [batch, 1 + length, width]
  const [batch, , width] = both.shape as [number, number, number]
  return { text: reshape(slice(both, [0, 0, 0], [-1, 1, -1]), [batch, width]), words: slice(both, [0, 1, 0]) }
}
