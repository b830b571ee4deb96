import type { EncoderOutputs, Mode, TextInputs } from '@attune/core'
import { type Tensor, concat, fill, slice } from '@tensorflow/tfjs-core'
import { attentionBias, paddingBias } from '../attention/attention-bias.js'
import { lastToken } from '../heads/last-token.js'
import { modeAt } from '../layers/dropout.js'
import type { EncoderContext } from './decoder-attention.js'
import { type StackOutputs, keptInEncoder } from './layer-stack.js'

/** Value of a model's `unpackable` for an encoder–decoder: the reason why it cannot pack texts. */
export const ONE_PAIR_IN_A_ROW = 'a row holds one text for the encoder and one for the decoder'

/** Encoder and decoder that {@link passEncoderDecoder} runs. */
export interface EncoderDecoderStacks {
  /** Decoder start token. */
  readonly startTokenId: number
  /** Runs the encoder. `bias` masks padding. */
  encode(bias: Tensor, mode: Mode): StackOutputs
  /** Runs the decoder on its own inputs. `bias` is that of causal self-attention. */
  decode(own: TextInputs, bias: Tensor, context: EncoderContext, mode: Mode): StackOutputs
}

/** Decoder inputs; by default the encoder's, shifted right behind the start token. */
function decoderInputs(startTokenId: number, inputs: TextInputs): Pick<TextInputs, 'inputIds' | 'attentionMask'> {
  const { inputIds, attentionMask, decoderInputIds, decoderAttentionMask } = inputs
  if (decoderInputIds !== undefined) {
    const all = (): Tensor => fill([...decoderInputIds.shape], 1, 'int32')
    return { inputIds: decoderInputIds, attentionMask: decoderAttentionMask ?? all() }
  }
  const [batch, length] = inputIds.shape as [number, number]
  const shiftRight = (x: Tensor, first: number): Tensor =>
    concat([fill([batch, 1], first, 'int32'), slice(x, [0, 0], [-1, length - 1])], 1)
  return { inputIds: shiftRight(inputIds, startTokenId), attentionMask: shiftRight(attentionMask, 1) }
}

/**
 * Forward pass of an encoder–decoder. `pooled` is the decoder's state at its last token; without `decoderInputIds`,
 * at the index of the text's last token. With `encoderStates`, the encoder is not run and none of its outputs are
 * kept.
 */
export function passEncoderDecoder(inputs: TextInputs, mode: Mode, stacks: EncoderDecoderStacks): EncoderOutputs {
  const { attentionMask, encoderStates, cache, cacheStart } = inputs
  const bias = paddingBias(attentionMask)
  const { x: states, kept: inEncoder } = encoderStates
    ? { x: encoderStates, kept: {} }
    : stacks.encode(bias, modeAt(mode, 0)) // [batch, length, hidden]
  const given = decoderInputs(stacks.startTokenId, inputs)
  const own = { ...given, tokenTypeIds: given.inputIds, ...(cache && { cache }), ...(cacheStart && { cacheStart }) }
  const context = { states, bias, start: cacheStart, cache }
  const { x, kept } = stacks.decode(own, attentionBias(own, { causal: true }), context, modeAt(mode, 1))
  // A classification head reads the state at the last token of the text, one index later in the decoder.
  const pooled = lastToken(x, inputs.decoderInputIds === undefined ? { ...own, attentionMask } : own)
  return { lastHiddenState: x, pooled, encoderStates: states, ...kept, ...keptInEncoder(inEncoder) }
}
