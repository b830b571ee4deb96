import type { EncoderOutputs, HostArray, Key, LossTerm, Losses, Mode, Model, Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { filledWith, normal } from '../layers/initialise.js'
import { headFor, toCheckpointNames } from './head.js'
import { lossOf } from './loss-of.js'
import { type TokenLosses, lossesFromLogits, tokenLosses } from './token-losses.js'
import { tokenLogits } from './token-logits.js'

/**
 * Head and loss of an encoder–decoder that is trained with teacher forcing, as members of an objective whose batches have `targets` and
 * `weights` `[rows, targetLength]`. Logits stay on the device: the head returns the loss and the argmax prediction at each position.
 * @param vocabulary number of logits
 * @throws AttuneError `NO_SUCH_HEAD` if the model's family has no such head, `LOSS_MISMATCH` if a loss does not compare labels
 */
export function targetHead(model: Model, losses: readonly LossTerm[], vocabulary: number) {
  const family = headFor(model, 'sequence-to-sequence')
  const ofRows = lossOf(losses, 'labels')
  return {
    config: { architectures: [family.architecture] },
    init: (key: Key): Params =>
      toCheckpointNames(family, {
        weight: normal(key, [vocabulary, model.hiddenSize], model.initializerRange),
        fixedBias: filledWith([1, vocabulary], 0), // as in checkpoints of BART and its relatives
      }),
    head(
      params: Params,
      { lastHiddenState: states, tokenLogits: own }: EncoderOutputs,
      mode: Mode,
      { targets }: { readonly targets: Tensor },
    ): TokenLosses {
      if (own !== undefined) return lossesFromLogits(own, targets, ofRows, mode)
      return tokenLosses((x) => tokenLogits(model, family, params, x), {
        states,
        targets,
        vocabulary,
        lossOf: ofRows,
        mode,
      })
    },
    loss: (outputs: TokenLosses, { weights }: { readonly weights: Tensor }): Losses => ({
      losses: outputs.losses,
      weights,
    }),
    /** The predicted ids of each target: of each row as many as its target has tokens. */
    predicted: ({ values, shape }: HostArray, targets: readonly (readonly number[])[]): number[][] =>
      targets.map(({ length }, row) => {
        const from = row * shape[1]!
        return Array.from(values.subarray(from, from + length), Number)
      }),
  }
}
