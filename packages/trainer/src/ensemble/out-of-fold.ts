import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError } from '@attune/core'
import type { OpenOptions } from '../files/run-folder.js'
import { requireModel } from '../files/require-model.js'
import { type LabelledPredictions, labelledPredictions, labelledRows } from './held-out.js'
import { validationOf } from './members.js'

/** True if a folder is that of a cross-validation. */
export const isCrossValidation = (folder: string): boolean => existsSync(join(folder, 'folds', '0'))

/** Folders of the runs of a cross-validation, in the order of the folds. @throws AttuneError `RUN_UNFINISHED` */
export function foldRuns(folder: string): readonly string[] {
  const runs: string[] = []
  for (let run = join(folder, 'folds', '0'); existsSync(run); run = join(folder, 'folds', String(runs.length)))
    runs.push(run)
  for (const run of runs) requireModel(run)
  return runs
}

const refuse = (problem: string, remedy: string): AttuneError => new AttuneError('BAD_ARGUMENT', problem, remedy)

/** @throws AttuneError `BAD_ARGUMENT` unless each fold has the same validation split in all cross-validations */
function requireSameFolds(groups: readonly (readonly string[])[], options: OpenOptions): void {
  const of = (runs: readonly string[]): string => JSON.stringify(runs.map((run) => validationOf(run, options)))
  const other = groups.find((runs) => of(runs) !== of(groups[0]!))
  if (other === undefined) return
  throw refuse(
    `expected cross-validations with the same folds, but those of ${other[0]!} differ from those of ${groups[0]![0]!}`,
    'Cross-validate the configurations with the same data, filter, seed and protocol.',
  )
}

/** Joins the held-out rows of several folds, and each member's predictions of them. */
export const joinFolds = (folds: readonly LabelledPredictions[]): LabelledPredictions => ({
  examples: folds.flatMap(({ examples }) => examples),
  classes: folds.flatMap(({ classes }) => classes),
  members: folds[0]!.members.map((_, m) => folds.flatMap(({ members }) => members[m]!)),
})

/**
 * Out-of-fold predictions: the probabilities of each row by the runs that held it out, as scikit-learn's
 * `cross_val_predict(method='predict_proba')`. Rows are in the order of the folds.
 * @param groups runs of each cross-validation, in the order of the folds
 * @throws AttuneError `BAD_ARGUMENT` for cross-validations with different folds, without some of them, or with a protocol that does not
 *   hold out each row once
 */
export async function outOfFoldPredictions(
  groups: readonly (readonly string[])[],
  labels: readonly string[],
  options: OpenOptions,
): Promise<LabelledPredictions> {
  requireSameFolds(groups, options)
  const first = groups[0]!
  const folds: LabelledPredictions[] = []
  for (const fold of first.keys())
    folds.push(await labelledPredictions(groups.map((runs) => runs[fold]!), labels, options)) // prettier-ignore
  const trained = await labelledRows(first[0]!, labels, options, { split: 'train' })
  const expected = trained.length + folds[0]!.examples.length
  const found = folds.reduce((sum, { examples }) => sum + examples.length, 0)
  if (found !== expected)
    throw refuse(
      `expected each of ${expected} rows in the validation split of one fold, got ${found} rows in ${first.length} folds`,
      'Finish the cross-validation with the protocol k-fold: npx attune cross-validate CONFIG.',
    )
  return joinFolds(folds)
}
