import { AttuneError, type Encoded, type Example, type HostArray, type Params, type Tree } from '@attune/core'
import { padTo, paddedLength, textArrays, textOf } from '@attune/data'
import { crossEntropy, headFor, hiddenStatesAt, maskedLogits } from '@attune/nn'
import { type Tensor, reshape } from '@tensorflow/tfjs-core'
import type { Pretrained } from './load-pretrained.js'

/** A language model with its objective, whose heads and batches compute the losses. */
export type LanguageModel = Pick<Pretrained, 'model' | 'params' | 'tokenizer' | 'objective' | 'task'>

/** Fields of an example, and the step of the windows of a long text. */
export interface WindowOptions {
  readonly text: string
  readonly target: string
  readonly stride: number | undefined
}

/** A forward pass: an item of a batch, and the losses that are read from its row, each with its token. */
export interface Window<X> {
  readonly item: X
  readonly scored: readonly { readonly at: number; readonly token: number }[]
}

/** An example as windows, the scored part of its text, and true if a part of it was truncated. */
export interface Windowed<X> {
  readonly windows: readonly Window<X>[]
  readonly text: string
  readonly truncated: boolean
}

/** A batch on the device. */
type DeviceBatch = Readonly<Record<string, Tree>>

/** Windows of examples, their batches, and the cross-entropies of a batch, `[rows, n]`. */
export interface WindowMethod<X> {
  windowsOf(example: Example): Windowed<X>
  collate(items: readonly X[]): Record<string, unknown>
  losses(params: Params, batch: DeviceBatch): Tensor
}

/** Padding of masked rows, so that few distinct shapes are compiled. */
const MULTIPLE = 8

/** @throws AttuneError `BAD_ARGUMENT` for a stride outside the windows */
function strideIn(stride: number | undefined, most: number): number {
  if (stride === undefined) return Math.max(1, Math.floor(most / 2))
  if (Number.isInteger(stride) && stride >= 1 && stride <= most) return stride
  throw new AttuneError(
    'BAD_ARGUMENT',
    `expected a stride of 1 to ${most} tokens, got ${stride}`,
    'A stride of half the window, the default, leaves each token at least that much context.',
  )
}

/** Losses of the objective's own head. */
const headLosses = ({ model, objective }: LanguageModel): WindowMethod<Encoded>['losses'] => {
  const mode = { training: false } as const
  return (params, batch) => {
    const outputs = model.forward(params, batch['inputs'] as never, mode)
    return (objective.head(params, outputs, mode, batch as never) as Record<string, Tensor>)['losses']!
  }
}

/** Windows of a causal model: each token except the first is predicted once, from the tokens of its window before it. */
export function causalWindows(
  language: LanguageModel,
  { text: field, stride: given }: WindowOptions,
): WindowMethod<Encoded> {
  const { tokenizer, objective } = language
  const limit = objective.maximumLength
  const stride = strideIn(given, limit - 1)
  return {
    windowsOf(example) {
      const text = textOf(example, field)
      const { ids, offsets } = tokenizer.encode(text, { offsets: true })
      const windows: Window<Encoded>[] = []
      for (let begin = 0, done = 1; done < ids.length; begin += stride) {
        const part = ids.slice(begin, begin + limit)
        const item = { ids: part, length: part.length, truncated: false }
        const first = done - begin
        const scored = part.slice(first).map((token, i) => ({ at: first + i - 1, token }))
        windows.push({ item, scored })
        done = begin + part.length
      }
      const scored = windows.length > 0 ? text.slice(offsets?.[0]?.[1] ?? 0) : ''
      return { windows, text: scored, truncated: false }
    },
    collate: (items) => objective.collate(items),
    losses: headLosses(language),
  }
}

/** One window of an encoder–decoder: each token of the target is predicted from the source and the tokens before it. */
export function targetWindows(language: LanguageModel, { target }: WindowOptions): WindowMethod<Encoded> {
  const { objective } = language
  return {
    windowsOf(example) {
      const item = objective.encode(example) as Encoded & { readonly target: readonly number[] }
      const scored = item.target.map((token, at) => ({ at, token }))
      return { windows: [{ item, scored }], text: textOf(example, target, 'target'), truncated: item.truncated }
    },
    collate: (items) => objective.collate(items),
    losses: headLosses(language),
  }
}

/** A text with one token masked. */
interface MaskedRow {
  readonly ids: readonly number[]
  readonly typeIds: readonly number[]
  readonly position: number
  readonly target: number
}

type MaskedBatch = { readonly inputs: never; readonly positions: Tensor; readonly targets: Tensor }

function maskOf({ special }: LanguageModel['tokenizer']): number {
  if (special.mask !== undefined) return special.mask
  throw new AttuneError(
    'NO_MASK_TOKEN',
    'pseudo-log-likelihood: expected a tokenizer with a mask token',
    'Use the tokenizer that was saved with the masked language model.',
  )
}

/** A batch of masked rows on the host. */
function collateMasked(rows: readonly MaskedRow[], { model, tokenizer }: LanguageModel) {
  const length = paddedLength(Math.max(...rows.map(({ ids }) => ids.length)), MULTIPLE, model.maximumLength)
  const column = (values: readonly number[]): HostArray =>
    padTo(
      values.map((value) => [value]),
      1,
      0,
    )
  const [ids, types] = [rows.map((row) => row.ids), rows.map((row) => row.typeIds)]
  return {
    inputs: textArrays(ids, length, tokenizer.special.pad ?? 0, types),
    positions: column(rows.map(({ position }) => position)),
    targets: column(rows.map(({ target }) => target)),
  }
}

/**
 * One window for each token of a text, in which it is masked; special tokens have no score. A token of a long text is masked in the first
 * window that contains it.
 *
 * Source: Salazar et al., Masked Language Model Scoring, 2020, section 2.
 */
export function maskedWindows(
  language: LanguageModel,
  { text: field, stride: given }: WindowOptions,
): WindowMethod<MaskedRow> {
  const { model, tokenizer } = language
  const [head, mask] = [headFor(model, 'masked-language-modeling'), maskOf(tokenizer)]
  const limit = model.maximumLength
  const room = limit - tokenizer.encode('').ids.length
  const overlap = room - strideIn(given, room)
  return {
    windowsOf(example) {
      const text = textOf(example, field)
      const { overflowing = [], ...first } = tokenizer.encode(text, {
        maximumLength: limit,
        offsets: true,
        ...(Number.isFinite(limit) ? { stride: overlap } : {}),
      })
      const windows = [first, ...overflowing].flatMap(({ ids, typeIds, specialMask }, w) => {
        const own = [...ids.keys()].filter((position) => specialMask![position] !== 1)
        return own.slice(w === 0 ? 0 : overlap).map((position) => {
          const masked = ids.map((id, at) => (at === position ? mask : id))
          const target = ids[position]!
          return { item: { ids: masked, typeIds, position, target }, scored: [{ at: 0, token: target }] }
        })
      })
      return { windows, text, truncated: false }
    },
    collate: (rows) => collateMasked(rows, language),
    losses(params, batch) {
      const { inputs, positions, targets } = batch as unknown as MaskedBatch
      const { lastHiddenState } = model.forward(params, inputs, { training: false })
      const logits = maskedLogits(model, head, params, hiddenStatesAt(lastHiddenState, positions))
      return reshape(crossEntropy(logits, reshape(targets, [-1])), [-1, 1])
    },
  }
}
