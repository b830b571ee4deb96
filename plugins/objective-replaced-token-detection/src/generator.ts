import {
  type AnyPlugin,
  type Key,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  type Use,
  deriveKey,
} from '@attune/core'
import {
  type TokenLosses,
  headFor,
  hiddenStatesAt,
  initialMaskedHead,
  maskedLogits,
  modeAt,
  tokenLosses,
  withoutPrefix,
} from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'

/** Prefix of the names of the generator's parameters. */
const PREFIX = 'generator.'

/** Index of the generator among the random streams of a step, so that its dropout differs from the discriminator's. */
const STREAM = 997

/** Masked texts: `positions`, `targets` (int32) and `uniforms` (float32, in [0, 1)) are `[batch, masked tokens]`. */
export interface MaskedInputs {
  readonly inputs: TextInputs
  readonly positions: Tensor
  readonly targets: Tensor
  readonly uniforms: Tensor
}

/** A masked language model with parameters of its own, some of which may be those of the discriminator. */
export interface Generator {
  readonly maximumLength: number
  init(key: Key): Params
  /** Losses of the masked tokens, and a sampled token for each. @param params those of the generator and of the discriminator */
  forward(params: Params, masked: MaskedInputs, mode: Mode): TokenLosses
}

/** Prefix of the names of all embeddings of a model: `electra.embeddings.`. */
const embeddingsOf = ({ wordEmbeddings }: Model): string => wordEmbeddings.split('.').slice(0, -2).join('.') + '.'

/** True if two models have embeddings of the same names and sizes. */
function sharesEmbeddings(one: Model, other: Model): boolean {
  const sizes = (model: Model): string =>
    JSON.stringify([
      model.wordEmbeddings,
      model.heads['masked-language-modeling']?.width ?? model.hiddenSize,
      model.maximumLength,
      model.config['type_vocab_size'],
    ])
  return sizes(one) === sizes(other)
}

/** Creates the generator that an option names, with the vocabulary of the discriminator. */
export function createGenerator(
  { plugin, options }: Pick<Use, 'plugin' | 'options'>,
  discriminator: Model,
  vocabulary: number,
): Generator {
  const model = (plugin as AnyPlugin)({ ...options, vocabSize: vocabulary }) as Model
  const head = headFor(model, 'masked-language-modeling')
  const shared = sharesEmbeddings(model, discriminator) ? [embeddingsOf(model)] : []
  const pooler = model.layers.filter(({ name }) => name === 'pooler').flatMap(({ prefixes }) => prefixes)
  const isOwn = (name: string): boolean => ![...shared, ...pooler].some((prefix) => name.startsWith(prefix))
  return {
    maximumLength: model.maximumLength,
    init: (key) =>
      Object.fromEntries(
        Object.entries({
          ...model.init(deriveKey(key, 'model')),
          ...initialMaskedHead(model, head, vocabulary, deriveKey(key, 'head')),
        }).flatMap(([name, tensor]) => (isOwn(name) ? [[PREFIX + name, tensor]] : [])),
      ),
    forward(params, { inputs, positions, ...masked }, mode) {
      // Without layer hooks, which are for the discriminator.
      const all = { ...Object.fromEntries(Object.entries(params)), ...withoutPrefix(params, PREFIX) }
      const { lastHiddenState } = model.forward(all, inputs, modeAt(mode, STREAM))
      const states = hiddenStatesAt(lastHiddenState, positions) // [batch · masked tokens, hidden]
      return tokenLosses((x) => maskedLogits(model, head, all, x), { ...masked, states, vocabulary })
    },
  }
}
