import type { Cache, HostArray, Model, OnDevice, Params, TextInputs } from '@attune/core'
import { headFor, tokenLogits } from '@attune/nn'
import { type Tensor, gather, reshape, slice } from '@tensorflow/tfjs-core'

/** `[rows, columns]`, int32. */
export function grid(rows: number, columns: number, at: (row: number, column: number) => number): HostArray {
  const values = Int32Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns))
  return { shape: [rows, columns], dtype: 'int32', values }
}

/** Arrays of a step; with `order`, where rows change places. */
export interface StepInputs extends Record<string, HostArray> {
  readonly inputIds: HostArray
  readonly positionIds: HostArray
  readonly attentionMask: HostArray
  readonly cacheStart: HostArray
}

/** Which tokens a step reads: they take the slots from `start` on, after `pads[row]` slots of padding. */
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

/** What the encoder of an encoder–decoder read and gave, for each row. */
export interface EncoderContext extends Record<string, Tensor> {
  readonly inputIds: Tensor
  readonly attentionMask: Tensor
  readonly encoderStates: Tensor
}

/** What is asked of a step: logits of the last token, states besides, or logits of all tokens. */
export type Asked = 'last' | 'states' | 'all'

/** What a step gives: logits `[rows, vocabulary]`, or of all tokens `[rows, length, vocabulary]`, and the cache with them in it. */
export type Stepped = { readonly logits: Tensor; readonly states?: Tensor; readonly cache: Cache }

/** One run of the decoder. */
export type Step = (
  params: Params,
  held: Cache,
  given: OnDevice<StepInputs>,
  source: Partial<EncoderContext>,
) => Stepped

const reordered = (cache: Cache, order: Tensor | undefined): Cache =>
  order === undefined
    ? cache
    : Object.fromEntries(
        Object.entries(cache).map(([name, held]) => [name, gather(held, order as Tensor & { dtype: 'int32' })]),
      )

/** What stands at the last place: `[batch, length, n]` to `[batch, n]`. */
function lastOf(x: Tensor): Tensor {
  const [batch, length, size] = x.shape as [number, number, number]
  return reshape(slice(x, [0, length - 1, 0], [-1, 1, -1]), [batch, size])
}

/** One run of a model's decoder, as a pure function. */
export function stepOf(model: Model, twoStacks: boolean, asked: Asked): Step {
  const head = headFor(model, twoStacks ? 'sequence-to-sequence' : 'causal-language-modeling')
  return (params, held, { inputIds, positionIds, attentionMask, cacheStart, order }, source) => {
    const own = { cache: reordered(held, order), cacheStart, positionIds }
    const inputs: TextInputs = twoStacks
      ? {
          ...(source as EncoderContext),
          tokenTypeIds: source.inputIds!,
          ...own,
          decoderInputIds: inputIds,
          decoderAttentionMask: attentionMask,
        }
      : { inputIds, attentionMask, tokenTypeIds: inputIds, ...own }
    const { lastHiddenState: states, cache, tokenLogits: direct } = model.forward(params, inputs, { training: false })
    const wanted = asked === 'all' ? (x: Tensor): Tensor => x : lastOf
    const logits = direct === undefined ? tokenLogits(model, head, params, wanted(states)) : wanted(direct)
    return { logits, ...(asked === 'states' ? { states } : {}), cache: cache as Cache }
  }
}
