import { type Example, closeScope, isAttuneError } from '@attune/core'
import { type OpenOptions, openRun } from '../files/run-folder.js'
import { metricsOf, splitOf } from '../inference/evaluated-split.js'
import { openModel } from '../inference/open-model.js'
import { openPredictor } from '../inference/open-predictor.js'
import { probabilitiesOf } from './open-ensemble.js'

/** Options that choose labelled rows: a source, otherwise the validation split of a run. */
export interface HeldOutOptions extends OpenOptions {
  readonly source?: unknown
}

/** Labelled rows with the probabilities of several members. */
export interface LabelledPredictions {
  readonly examples: readonly Example[]
  /** Class id of each row. */
  readonly classes: readonly number[]
  /** Probabilities of each member, by row, in the order of the class ids. */
  readonly members: readonly (readonly number[][])[]
}

/** The held-out rows, as options of an evaluation. */
export const heldOut = ({ source }: HeldOutOptions) => (source === undefined ? { split: 'validation' } : { source })

/** Rows of a split or source of a run with their class ids. */
export async function labelledRows(
  folder: string,
  labels: readonly string[],
  options: OpenOptions,
  chosenRows: { readonly split: string } | { readonly source: unknown },
) {
  const run = openRun(folder, options)
  const chosen = await metricsOf(run, { ...options, metrics: [] })
  const { plan, scope, components, forward } = await openModel(run, folder, chosen, options)
  try {
    const { split } = await splitOf(run, plan, chosen, { ...options, ...chosenRows })
    const rows = []
    for await (const row of split.examples()) {
      const { label } = components.objective.reference(components.objective.encode(row))
      rows.push({ row, label: labels.indexOf(String(label)) })
    }
    return rows
  } finally {
    forward.dispose()
    await closeScope(scope)
  }
}

/** Probabilities of a run for rows. @throws AttuneError the error of a row */
export async function predictionsOf(
  folder: string,
  rows: readonly Example[],
  labels: readonly string[],
  options: OpenOptions,
): Promise<number[][]> {
  const predictor = await openPredictor(folder, options)
  try {
    return (await predictor.predict(rows)).map((answer) => {
      if (isAttuneError(answer)) throw answer
      return probabilitiesOf(answer, labels, folder)
    })
  } finally {
    await predictor.close()
  }
}

/**
 * Predictions of rows that the runs have in common.
 * @param chosenRows default: the held-out rows
 */
export async function labelledPredictions(
  folders: readonly string[],
  labels: readonly string[],
  options: HeldOutOptions,
  chosenRows: Parameters<typeof labelledRows>[3] = heldOut(options),
): Promise<LabelledPredictions> {
  const rows = await labelledRows(folders[0]!, labels, options, chosenRows)
  const examples = rows.map(({ row }) => row)
  const members: number[][][] = []
  for (const folder of folders) members.push(await predictionsOf(folder, examples, labels, options))
  return { examples, classes: rows.map(({ label }) => label), members }
}
