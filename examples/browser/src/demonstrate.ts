/** Trains, predicts, saves and reads back: what the page does, and what its test checks. */
import type { Files } from '@attune/core'
import { type Row, fineTune } from './fine-tune.js'
import { type Prediction, open, predict, save } from './predict.js'

/** The results of {@link demonstrate}. */
export interface Demonstration {
  /** The mean loss of each step's batch. */
  readonly losses: readonly number[]
  /** Predictions for the texts of the rows, in their order. */
  readonly predictions: readonly Prediction[]
  /** Those of the model that was read back. */
  readonly again: readonly Prediction[]
  readonly saved: readonly string[]
  /** Fraction of rows whose label was predicted. */
  readonly accuracy: number
}

/** Fine-tunes on rows, predicts their labels, saves the model and predicts with what was saved. */
export async function demonstrate(
  rows: readonly Row[],
  files: Files,
  steps: number,
  onStep: (step: number, loss: number) => Promise<void> | void = () => undefined,
): Promise<Demonstration> {
  const losses: number[] = []
  const classifier = await fineTune(rows, {
    steps,
    onStep(step, loss) {
      losses.push(loss)
      return onStep(step, loss)
    },
  })
  const texts = rows.map(({ text }) => text)
  const predictions = await predict(classifier, texts)
  await save(classifier, files)
  const again = await predict(await open(files), texts)
  const hits = predictions.filter(({ label }, i) => label === rows[i]!.label).length
  return { losses, predictions, again, saved: await files.list(), accuracy: hits / rows.length }
}
