/** The demonstration of the page, which its test checks: train, predict, save, load. */
import type { Files } from '@attune/core'
import { type Row, fineTune } from './fine-tune.js'
import { type Prediction, open, predict, save } from './predict.js'

/** The results of {@link demonstrate}. */
export interface Demonstration {
  /** The mean loss of each step's batch. */
  readonly losses: readonly number[]
  /** Predictions for the texts of the rows, in row order. */
  readonly predictions: readonly Prediction[]
  /** Predictions of the loaded model for the same texts. */
  readonly again: readonly Prediction[]
  readonly saved: readonly string[]
  /** Fraction of rows with a correct prediction. */
  readonly accuracy: number
}

/** Fine-tunes on rows, predicts their labels, saves the model, loads it and predicts again. */
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
  const correct = predictions.filter(({ label }, i) => label === rows[i]!.label).length
  return { losses, predictions, again, saved: await files.list(), accuracy: correct / rows.length }
}
