import type { Cache, HostArray, Model, OnDevice, Params, TextInputs } from '@attune/core'
import { headFor, tokenLogits } from '@attune/nn'
import { type Tensor, gather, reshape, slice } from '@tensorflow/tfjs-core'

/** Integer array `[rows, columns]`, int32. */
export function grid(rows: number, columns: number, at: (row: number, column: number) => number): HostArray {
  const values = Int32Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns))
  return { shape: [rows, columns], dtype: 'int32', values }
}

/** Inputs of a decoder step; with `order` if rows are reordered. */
export interface StepInputs extends Record<string, HostArray> {
  readonly inputIds: HostArray
  readonly positionIds: HostArray
  readonly attentionMask: HostArray
  readonly cacheStart: HostArray
}

/** Inputs of a step that reads `tokens` into the cache slots from `start` on; row `r` has `pads[r]` slots of padding first. */
export function arraysOf(
  tokens: readonly (readonly number[])[],
  start: number,
  pads: readonly number[],
  capacity: number,
): StepInputs {
  const [rows, length] = [tokens.length, tokens[0]!.length]
  return {
    inputIds: grid(rows, length, (row, i) => tokens[row]![i]!),
    positionIds: grid(rows, length, (row, i) => Math.max(0, start + i - pads[row]!)),
    attentionMask: grid(rows, capacity, (row, slot) => (slot >= pads[row]! && slot < start + length ? 1 : 0)),
    cacheStart: { shape: [], dtype: 'int32', values: Int32Array.of(start) },
  }
}

/** Encoder inputs and outputs of an encoder–decoder, by row. */
export interface EncoderContext extends Record<string, Tensor> {
  readonly inputIds: Tensor
  readonly attentionMask: Tensor
  readonly encoderStates: Tensor
}

/** Outputs requested from a step: logits of the last token, these and the hidden states, or logits of all tokens. */
export type RequestedOutputs = 'last' | 'states' | 'all'

/** Outputs of a step: logits `[rows, vocabulary]`, or `[rows, length, vocabulary]` for all tokens, and the updated KV cache. */
export type StepOutputs = { readonly logits: Tensor; readonly states?: Tensor; readonly cache: Cache }

/** One decoder step. */
export type Step = (
  params: Params,
  held: Cache,
  given: OnDevice<StepInputs>,
  context: Partial<EncoderContext>,
) => StepOutputs

const reorder = (cache: Cache, order: Tensor | undefined): Cache =>
  order === undefined
    ? cache
    : Object.fromEntries(
        Object.entries(cache).map(([name, held]) => [name, gather(held, order as Tensor & { dtype: 'int32' })]),
      )

/** Selects the last position: `[batch, length, n]` to `[batch, n]`. */
function lastPosition(x: Tensor): Tensor {
  const [batch, length, size] = x.shape as [number, number, number]
  return reshape(slice(x, [0, length - 1, 0], [-1, 1, -1]), [batch, size])
}

/** Returns one step of a model's decoder, as a pure function. */
export function decoderStep(model: Model, isEncoderDecoder: boolean, requested: RequestedOutputs): Step {
  const head = headFor(model, isEncoderDecoder ? 'sequence-to-sequence' : 'causal-language-modeling')
  return (params, held, { inputIds, positionIds, attentionMask, cacheStart, order }, context) => {
    const own = { cache: reorder(held, order), cacheStart, positionIds }
    const inputs: TextInputs = isEncoderDecoder
      ? {
          ...(context as EncoderContext),
          tokenTypeIds: context.inputIds!,
          ...own,
          decoderInputIds: inputIds,
          decoderAttentionMask: attentionMask,
        }
      : { inputIds, attentionMask, tokenTypeIds: inputIds, ...own }
    const { lastHiddenState: states, cache, tokenLogits: direct } = model.forward(params, inputs, { training: false })
    const select = requested === 'all' ? (x: Tensor): Tensor => x : lastPosition
    const logits = direct === undefined ? tokenLogits(model, head, params, select(states)) : select(direct)
    return { logits, ...(requested === 'states' ? { states } : {}), cache: cache as Cache }
  }
}
