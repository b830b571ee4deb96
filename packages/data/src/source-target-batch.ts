import type { Batch, Encoded, HostArray, Model, Side, Tokenizer } from '@attune/core'
import { attentionMask, padTo } from './pad-to.js'
import { paddedLength } from './padded-length.js'
import { type TextArrays, textArrays } from './text-inputs.js'

/** Token ids of a source and of its target; the latter are empty if the target is unknown. */
export interface SourceTargetItem extends Encoded {
  readonly ids: readonly number[]
  readonly target: readonly number[]
}

/** Inputs of the encoder, `[batch, length]`, and of the decoder, `[batch, targetLength]`. */
export interface SourceTargetArrays extends TextArrays {
  readonly decoderInputIds: HostArray
  readonly decoderAttentionMask: HostArray
}

/** `targets` (int32) are the tokens to generate, `weights` (float32) 0 for padding; both `[batch, targetLength]`. */
export interface SourceTargetBatch extends Batch {
  readonly inputs: SourceTargetArrays
  readonly targets: HostArray
  readonly weights: HostArray
}

/** Lengths of the batches of an encoder–decoder. */
export interface SourceTargetLimits {
  /** Batches are padded to a multiple of this length. */
  readonly padToMultipleOf: number
  readonly maximumLength?: number | undefined
  readonly maximumTargetLength?: number | undefined
}

/** Token ids of a text, with the end token if the tokenizer does not append it, truncated to the maximum length. */
export function endedTokens(
  { encode, special }: Tokenizer,
  text: string,
  maximumLength: number,
  truncationSide?: Side,
): { readonly ids: readonly number[]; readonly truncated: boolean } {
  const { ids, truncated } = encode(text, { maximumLength, truncationSide })
  const open = special.end !== undefined && ids.at(-1) !== special.end && !truncated
  return { ids: open ? [...ids, special.end as number].slice(0, maximumLength) : ids, truncated }
}

/**
 * Batches of an encoder–decoder. The decoder reads its targets shifted right by one position, after the start token of the model
 * (`decoder_start_token_id`, default: 0); without a target only that token.
 */
export function sourceTargetBatches(o: SourceTargetLimits, model: Model, { special }: Tokenizer) {
  const limit = (length: number | undefined): number => Math.min(length ?? model.maximumLength, model.maximumLength)
  const [maximumLength, maximumTargetLength] = [limit(o.maximumLength), limit(o.maximumTargetLength)]
  const [pad, start] = [special.pad ?? 0, Number(model.config['decoder_start_token_id'] ?? 0)]
  const longest = (rows: readonly (readonly number[])[]): number => Math.max(...rows.map((row) => row.length))
  return {
    maximumLength,
    maximumTargetLength,
    collate(items: readonly Pick<SourceTargetItem, 'ids' | 'target'>[]): SourceTargetBatch {
      const [texts, targets] = [items.map(({ ids }) => ids), items.map(({ target }) => target)]
      const length = paddedLength(longest(targets), o.padToMultipleOf, maximumTargetLength)
      const read = targets.map((row) => [start, ...row.slice(0, -1)])
      const weights = attentionMask(targets, length)
      return {
        inputs: {
          ...textArrays(texts, paddedLength(longest(texts), o.padToMultipleOf, maximumLength), pad),
          decoderInputIds: padTo(read, length, pad),
          decoderAttentionMask: attentionMask(read, length),
        },
        targets: padTo(targets, length, 0),
        weights: { ...weights, dtype: 'float32', values: Float32Array.from(weights.values) },
      }
    },
  }
}
