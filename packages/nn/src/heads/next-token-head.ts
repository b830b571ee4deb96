import type { Key, Losses, LossTerm, Mode, Model, EncoderOutputs, Params, StepKey } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { withoutGradient } from '../engine/without-gradient.js'
import { normal } from '../layers/initialise.js'
import { noise } from '../layers/noise.js'
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
  const tokens = (params: Params, states: Tensor, targets: Tensor, mode: Mode, uniforms?: Tensor): TokenLosses =>
    tokenLosses((x) => tokenLogits(model, family, params, x), {
      ...{ states, targets, vocabulary, lossOf: ofRows, mode },
      ...(uniforms === undefined ? {} : { uniforms }),
    })
  return {
    config: { architectures: [family.architecture] },
    init: (key: Key): Params =>
      toCheckpointNames(family, { weight: normal(key, [vocabulary, model.hiddenSize], model.initializerRange) }),
    head: (
      params: Params,
      { lastHiddenState }: EncoderOutputs,
      mode: Mode,
      { targets }: { readonly targets: Tensor },
    ): TokenLosses => tokens(params, lastHiddenState, targets, mode),
    sampleLabels<B extends { readonly targets: Tensor }>(
      params: Params,
      { lastHiddenState }: EncoderOutputs,
      mode: Mode,
      batch: B,
      key: StepKey,
    ): B {
      const uniforms = noise(key, batch.targets.shape, 'uniform')
      const sampled = (): Tensor => tokens(params, lastHiddenState, batch.targets, mode, uniforms)['sampled']!
      return { ...batch, targets: withoutGradient(sampled) }
    },
    loss: (outputs: TokenLosses, batch: { readonly weights: Tensor; readonly examples?: Tensor }): Losses =>
      packedLosses(outputs.losses, batch),
  }
}
