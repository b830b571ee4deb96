import type { AnyPlugin, Key, Mode, Model, Params, TextInputs, Use } from '@attune/core'
import { deriveKey } from '@attune/core'
import { classifier, outputsOfRelaxed, withHook, withoutPrefix } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'

/** Prefix of the names of the discriminator's parameters. */
const PREFIX = 'discriminator.'

/** A classifier of texts, real or generated, with parameters of its own. */
export interface Discriminator {
  readonly maximumLength: number
  init(key: Key): Params
  /** Its parameters, among those of the run. */
  own(params: Params): Params
  /**
   * Logits `[rows, 1]` that texts are real.
   * @param params those of `own`
   * @param tokens relaxed tokens `[rows, length, vocabulary]` that it reads instead of `inputIds`
   */
  logits(params: Params, inputs: TextInputs, mode: Mode, tokens?: Tensor): Tensor
}

/** Creates the discriminator that an option names, with the vocabulary of the generator. */
export function createDiscriminator(
  { plugin, options }: Pick<Use, 'plugin' | 'options'>,
  vocabulary: number,
): Discriminator {
  const model = (plugin as AnyPlugin)({ ...options, vocabSize: vocabulary }) as Model
  const head = classifier(model, 'sequence-classification', 1)
  return {
    maximumLength: model.maximumLength,
    init(key) {
      const own = { ...model.init(deriveKey(key, 'model')), ...head.init(deriveKey(key, 'head')) }
      return Object.fromEntries(Object.entries(own).map(([name, tensor]) => [PREFIX + name, tensor]))
    },
    own: (params) => withoutPrefix(params, PREFIX),
    logits(params, inputs, mode, tokens) {
      const outputs =
        tokens === undefined
          ? model.forward(params, inputs, mode)
          : outputsOfRelaxed(tokens, inputs.inputIds, (hook) => model.forward(withHook(params, hook), inputs, mode))
      return head.forward(params, outputs.pooled, mode)
    },
  }
}
