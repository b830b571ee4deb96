import { type Adapted, AttuneError, type Model, type Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { trainHeads } from './adapt-layers.js'
import { PROMPT, promptConfig, promptToPeft } from './saved-prompt.js'

/** Virtual tokens before a text: their number, and their vectors, computed from the parameters, `[count, width]`. */
export interface VirtualTokens {
  /** Name of the adapter, for errors. */
  readonly adapter: string
  readonly count: number
  vectors(params: Params): Tensor
}

/** A fine-tuning method that trains virtual tokens of a frozen model. */
export interface PromptMethod {
  readonly adapter: string
  readonly count: number
  /** The tensors that train, by name: those of the virtual tokens, and heads of a saved adapter instead of those of the model. */
  readonly tensors: Params
  /** Computes the vectors, `[count, width]`, unless the parameters hold them as {@link PROMPT}, as those of a saved adapter do. */
  encode?(params: Params): Tensor
  /** Content of `adapter_config.json` in addition to that of every prompt: the method and its options. */
  readonly config: Readonly<Record<string, unknown>>
  /** Returns the model with the virtual tokens before each text. */
  insert(model: Model, tokens: VirtualTokens): Model
}

/** @throws AttuneError `ADAPTER_MISMATCH` */
export const adapterMismatch = (adapter: string, expected: string, remedy: string): AttuneError =>
  new AttuneError('ADAPTER_MISMATCH', `adapter ${adapter}: expected ${expected}`, remedy)

/**
 * The model as the objective sees it: texts are shorter by the virtual tokens, and are not packed, since each needs its own.
 * @throws AttuneError `ADAPTER_MISMATCH` for an encoder–decoder, or if no token of a text would fit
 */
export function describeVirtualTokens(
  model: Model,
  { adapter, count }: Pick<VirtualTokens, 'adapter' | 'count'>,
): Model {
  const maximumLength = model.maximumLength - count
  if (maximumLength < 1)
    throw adapterMismatch(
      adapter,
      `fewer virtual tokens than the model reads tokens, ${model.maximumLength}, got ${count}`,
      'Set a smaller number of `tokens`.',
    )
  if (model.config['is_encoder_decoder'] === true)
    throw adapterMismatch(
      adapter,
      `an encoder or a decoder, got an encoder–decoder (${String(model.config['model_type'])})`,
      'Use another adapter, such as lora.',
    )
  return {
    ...model,
    maximumLength,
    unpackable: 'virtual tokens precede each text',
    layers: [...model.layers, { name: 'virtual tokens', prefixes: ['prompt_'] }],
  }
}

/**
 * Trains virtual tokens of a frozen model. The heads of the objective train too, as with other adapters. There is no merge: the
 * vectors are inputs, which weights cannot replace.
 */
export function adaptPrompt(model: Model, params: Params, method: PromptMethod): Adapted {
  const { adapter, count, tensors, encode, insert } = method
  const { heads, trainable, frozen } = trainHeads(model, params, tensors)
  const vectors = (all: Params): Tensor => all[PROMPT] ?? encode!(all)
  return {
    model: insert(describeVirtualTokens(model, method), { adapter, count, vectors }),
    trainable,
    frozen,
    config: { ...promptConfig(model, count, heads), ...method.config },
    tensors: (trained) => promptToPeft(vectors(trained), trained, heads),
  }
}
