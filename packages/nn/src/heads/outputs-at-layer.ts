import { AttuneError, type EncoderOutputs, type TextInputs } from '@attune/core'
import { meanPool } from './mean-state.js'

/**
 * Outputs of a lower layer as if it were the last; the pooled vector is the mean of the tokens.
 * @param layer index from 1; 0: the embeddings
 * @param outputs those of a forward pass that keeps `hiddenStates`
 * @param reader what reads the layer, for the error
 * @throws AttuneError `TASK_MISMATCH` for a layer that the model does not have
 */
export function outputsAtLayer(
  layer: number,
  { hiddenStates }: EncoderOutputs,
  { attentionMask }: TextInputs,
  reader: string,
): EncoderOutputs {
  const lastHiddenState = hiddenStates?.[layer]
  if (lastHiddenState !== undefined) return { lastHiddenState, pooled: meanPool(lastHiddenState, attentionMask) }
  const last = Object.keys(hiddenStates ?? {}).length - 1
  throw new AttuneError(
    'TASK_MISMATCH',
    `expected a layer from 0 to ${last} for ${reader}, got ${layer}`,
    'Correct the option `layers`.',
  )
}
