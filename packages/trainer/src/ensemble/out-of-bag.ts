import { AttuneError, type Example, choosePlugins, isAttuneError } from '@attune/core'
import { lastStages } from '../data/open-splits.js'
import { memoryRows, pickedRows } from '../data/rows.js'
import { type OpenOptions, openRun } from '../files/run-folder.js'
import type { Evaluation } from '../inference/evaluated-split.js'
import { openPredictor } from '../inference/open-predictor.js'
import type { Prediction, Predictor } from '../inference/predictor.js'
import { type MemberProbabilities, averaged } from './combine.js'
import { scorePredictions } from './evaluate-ensemble.js'
import { labelledRows } from './held-out.js'
import { requireRuns, validationOf } from './members.js'
import { openMembers, predictionOf, probabilitiesOf } from './open-ensemble.js'
import { sharedLabels } from './shared-labels.js'

/** Scores of a bagged ensemble on the rows that at least one member was not trained on; `examples` is their number. */
export interface OutOfBagEvaluation extends Evaluation {
  /** Number of rows of the training split. */
  readonly rows: number
}

/**
 * Out-of-bag mean of the probabilities of one example: that of the members that were not trained on it, as scikit-learn's
 * `BaggingClassifier.oob_decision_function_`.
 * @param members undefined for a member that was trained on the example
 * @returns undefined if all members were trained on the example
 */
export function outOfBagMean(members: readonly (MemberProbabilities | undefined)[]): number[] | undefined {
  const unseen = members.filter((each) => each !== undefined)
  return unseen.length === 0 ? undefined : averaged(unseen, new Array<number>(unseen.length).fill(1))
}

/** @throws AttuneError `BAD_ARGUMENT` unless the training splits of the runs have the same rows */
function requireSharedTraining(folders: readonly string[], options: OpenOptions): void {
  const splits = folders.map((folder) => validationOf(folder, options) + JSON.stringify(openRun(folder, options).config.filter)) // prettier-ignore
  const other = splits.findIndex((split) => split !== splits[0])
  if (other < 0) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    `expected runs with the same training split, but that of ${folders[other]} differs from that of ${folders[0]}`,
    'Train the runs with the same data, filter and data.validation.',
  )
}

/** Indices of the rows of a training split that the balancers of a run chose, such as its bootstrap sample. */
async function chosenRows(folder: string, examples: readonly Example[], options: OpenOptions): Promise<Set<number>> {
  const { config, lookup } = openRun(folder, options)
  const { balancer } = await choosePlugins({ balancer: config.balancer }, lookup)
  const rows = memoryRows(examples.map((example) => ({ example })))
  let chosen = [...examples.keys()]
  for (const { choose } of await lastStages({ balancer, augmenter: [], seed: config.seed }, undefined))
    chosen = (await choose!(pickedRows(rows, chosen))).indices.map((index) => chosen[index]!)
  return new Set(chosen)
}

/** Predictions of rows by one member; undefined for those that it was trained on. */
async function unseenAnswers(
  member: Predictor,
  rows: readonly Example[],
  isSeen: (row: number) => boolean,
): Promise<(Prediction | AttuneError | undefined)[]> {
  const unseen = [...rows.keys()].filter((i) => !isSeen(i))
  const answers = await member.predict(unseen.map((i) => rows[i]!))
  const found = new Map(unseen.map((i, position) => [i, answers[position]!]))
  return rows.map((_, i) => found.get(i))
}

/** The out-of-bag prediction of one example from the answers of the members. */
function together(answers: readonly (Prediction | AttuneError | undefined)[], labels: readonly string[]) {
  const failed = answers.find(isAttuneError)
  if (failed !== undefined) return failed
  const given = answers as readonly (Prediction | undefined)[]
  const mean = outOfBagMean(given.map((each) => each && probabilitiesOf(each, labels, 'a member')))
  return mean && predictionOf(mean, labels, given.some((each) => each?.truncated === true)) // prettier-ignore
}

/**
 * Out-of-bag evaluation of runs on bootstrap samples of the same training split: each row of the split is predicted by the mean of the
 * probabilities of the runs whose balancers did not choose it. So the ensemble is scored without held-out data. Rows that all runs
 * were trained on do not count.
 *
 * Gotchas: each row is predicted by about 37 % of the members, so the score is lower than that of the ensemble; texts that occur twice in
 * the data make it higher. `filter: duplicates` removes those.
 * Source: Breiman, Out-of-Bag Estimation, 1996.
 * @param runs folders of two or more runs with the same training split
 * @throws AttuneError `BAD_ARGUMENT` for runs with different labels or training splits; `NOT_A_CLASSIFIER`; `RUN_UNFINISHED`
 */
export async function evaluateOutOfBag(
  runs: readonly string[],
  options: OpenOptions = {},
): Promise<OutOfBagEvaluation> {
  const folders = requireRuns(runs)
  requireSharedTraining(folders, options)
  const labels = await sharedLabels(folders, options)
  const training = { split: 'train' }
  const examples = (await labelledRows(folders[0]!, labels, options, training)).map(({ row }) => row)
  const seen: Set<number>[] = []
  for (const folder of folders) seen.push(await chosenRows(folder, examples, options))
  const { members, close } = await openMembers(folders, options, openPredictor)
  let from = 0
  try {
    const evaluation = await scorePredictions(folders[0]!, { ...options, ...training }, async (rows) => {
      const start = from
      from += rows.length
      const answers = await Promise.all(
        members.map((member, m) => unseenAnswers(member, rows, (i) => seen[m]!.has(start + i))),
      )
      return rows.map((_, i) => together(answers.map((each) => each[i]), labels)) // prettier-ignore
    })
    return { ...evaluation, rows: examples.length }
  } finally {
    await close()
  }
}
