import type { OpenOptions } from '../files/run-folder.js'
import { type LabelledPredictions, labelledPredictions } from './held-out.js'
import { labelsOf } from './shared-labels.js'

/**
 * Predictions of a classifier's training split by itself: its rows after cleaners and filters, and before balancers and augmenters.
 * @throws AttuneError `NOT_A_CLASSIFIER`, `RUN_UNFINISHED`
 */
export async function trainingPredictions(folder: string, options: OpenOptions = {}): Promise<LabelledPredictions> {
  return labelledPredictions([folder], await labelsOf(folder, options), options, { split: 'train' })
}
