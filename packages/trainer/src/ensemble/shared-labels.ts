import { AttuneError } from '@attune/core'
import type { OpenOptions } from '../files/run-folder.js'
import { openPredictor } from '../inference/open-predictor.js'

/** The labels of a run. @throws AttuneError `NOT_A_CLASSIFIER` */
export async function labelsOf(folder: string, options: OpenOptions): Promise<readonly string[]> {
  const predictor = await openPredictor(folder, options)
  const { labels, task } = predictor.describes
  await predictor.close()
  if (labels !== undefined && task === 'sequence-classification') return labels
  throw new AttuneError(
    'NOT_A_CLASSIFIER',
    `expected a run of sequence-classification, got one of ${task} (${folder})`,
    'Average the weights of other models: --method soup.',
  )
}

/** The labels of several runs, in the order of the first. @throws AttuneError `BAD_ARGUMENT`, `NOT_A_CLASSIFIER` */
export async function sharedLabels(folders: readonly string[], options: OpenOptions): Promise<readonly string[]> {
  const labels = await labelsOf(folders[0]!, options)
  for (const folder of folders.slice(1))
    if (String(await labelsOf(folder, options)) !== String(labels))
      throw new AttuneError(
        'BAD_ARGUMENT',
        `expected runs with the same labels in the same order, but those of ${folder} differ`,
        'Set `objective.labels` in the configurations.',
      )
  return labels
}
