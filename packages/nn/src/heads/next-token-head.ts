import type { Key, Losses, LossTerm, Mode, Model, EncoderOutputs, Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { normal } from '../layers/initialise.js'
import { headFor, toCheckpointNames } from './head.js'
import { lossOf } from './loss-of.js'
import { type TokenLosses, packedLosses, tokenLosses } from './token-losses.js'
import { tokenLogits } from './token-logits.js'

/**
 * Head and loss of next-token prediction, as members of an objective whose batches have `targets` and `weights` `[rows, length]`.
 * Logits stay on the device: the head returns the loss and the argmax prediction at each token.
 * @param vocabulary number of logits
 * @throws AttuneError `NO_SUCH_HEAD` if the model's family has no such head, `LOSS_MISMATCH` if a loss does not compare labels
 */
export function nextTokenHead(model: Model, losses: readonly LossTerm[], vocabulary: number) {
  const family = headFor(model, 'causal-language-modeling')
  const ofRows = lossOf(losses, 'labels')
  return {
    config: { architectures: [family.architecture] },
    init: (key: Key): Params =>
      toCheckpointNames(family, { weight: normal(key, [vocabulary, model.hiddenSize], model.initializerRange) }),
    head: (
      params: Params,
      { lastHiddenState }: EncoderOutputs,
      mode: Mode,
      { targets }: { readonly targets: Tensor },
    ): TokenLosses =>
      tokenLosses((x) => tokenLogits(model, family, params, x), {
        states: lastHiddenState,
        targets,
        vocabulary,
        lossOf: ofRows,
        mode,
      }),
    loss: (outputs: TokenLosses, batch: { readonly weights: Tensor; readonly examples?: Tensor }): Losses =>
      packedLosses(outputs.losses, batch),
  }
}
