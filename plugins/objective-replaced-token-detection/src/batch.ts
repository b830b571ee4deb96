import type { Batch, Encoded, HostArray, ScheduledNumbers, Tokenizer } from '@attune/core'
import { type TextArrays, maskedCount, masker, ownRandom, padTo, paddedLength, textArrays } from '@attune/data'

/** Token ids of a text. Without a label no token is replaced: the text is judged as it is. */
export interface DetectionItem extends Encoded {
  readonly ids: readonly number[]
  readonly isLabelled: boolean
}

/**
 * `maskedIds` (int32) and `isReplaced` (float32) are `[rows, length]`; `positions`, `targets` (int32), `weights` (float32, 0 for padding) and
 * `uniforms` (float32, in [0, 1)) are `[rows, masked tokens]`. The model's inputs are the original texts in training. In evaluation they have
 * random replacements, which `isReplaced` marks.
 */
export interface DetectionBatch extends Batch {
  readonly inputs: TextArrays
  readonly maskedIds: HostArray
  readonly isReplaced: HostArray
  readonly positions: HostArray
  readonly targets: HostArray
  readonly weights: HostArray
  readonly uniforms: HostArray
}

/** A text with masked tokens, a number in [0, 1) for each of them, and the text with random tokens instead. */
interface Corrupted {
  readonly maskedIds: readonly number[]
  readonly positions: readonly number[]
  readonly targets: readonly number[]
  readonly uniforms: readonly number[]
  readonly replacedIds: readonly number[]
}

/** Options of the batches. */
interface Settings {
  readonly maskingProbability: number
  readonly wholeWord: boolean
  readonly padToMultipleOf: number
  readonly maximumLength: number
}

const floats = (rows: readonly (readonly number[])[], width: number): HostArray => {
  const values = new Float32Array(rows.length * width)
  rows.forEach((row, i) => values.set(row, i * width))
  return { shape: [rows.length, width], dtype: 'float32', values }
}

/** Returns a function that masks tokens of a text and samples numbers for them. Without `random` the noise is that of the text. */
function corrupter(tokenizer: Tokenizer, { maskingProbability: probability, wholeWord }: Settings) {
  const mask = masker(tokenizer, {
    probability,
    wholeWord,
    spans: 'none',
    maximumSpanLength: 1,
    spanProbability: 0.5,
    maskedFraction: 1,
    randomFraction: 0,
    replace: 'token',
  })
  return ({ ids, isLabelled }: DetectionItem, random = ownRandom(ids), rate?: number): Corrupted => {
    if (!isLabelled) return { maskedIds: ids, positions: [], targets: [], uniforms: [], replacedIds: ids }
    const { ids: maskedIds, positions, targets } = mask(ids, random, rate)
    const uniforms = positions.map(() => random())
    const replacedIds = [...ids]
    positions.forEach((at, i) => (replacedIds[at] = Math.floor(uniforms[i]! * tokenizer.vocabularySize)))
    return { maskedIds, positions, targets, uniforms, replacedIds }
  }
}

/** Functions that mask texts and collate them. */
export function detectionBatches(tokenizer: Tokenizer, o: Settings) {
  const corrupt = corrupter(tokenizer, o)
  /** 1 for each token that a random one replaced, unless it is the same; 0 for the others. */
  const isReplaced = (item: DetectionItem, { replacedIds } = corrupt(item)): readonly number[] =>
    replacedIds.map((id, at) => Number(id !== item.ids[at]))
  return {
    isReplaced,
    collate(
      items: readonly DetectionItem[],
      random?: () => number,
      { maskingProbability: rate }: ScheduledNumbers = {},
    ): DetectionBatch {
      const texts = items.map((item) => corrupt(item, random, rate?.value))
      const length = paddedLength(Math.max(...items.map(({ ids }) => ids.length)), o.padToMultipleOf, o.maximumLength)
      const count = maskedCount(length, { probability: rate?.maximum ?? o.maskingProbability })
      const pad = tokenizer.special.pad ?? 0
      const column = <K extends keyof Corrupted>(name: K) => texts.map((text) => text[name])
      const labels = items.map((item, i) => isReplaced(item, texts[i]))
      return {
        inputs: textArrays(random === undefined ? column('replacedIds') : items.map(({ ids }) => ids), length, pad),
        maskedIds: padTo(column('maskedIds'), length, pad),
        isReplaced: floats(labels, length),
        positions: padTo(column('positions'), count, 0),
        targets: padTo(column('targets'), count, 0),
        weights: floats(
          column('positions').map((each) => each.map(() => 1)),
          count,
        ),
        uniforms: floats(column('uniforms'), count),
      }
    },
  }
}
