import { AttuneError, type Example, isAttuneError, isRecord } from '@attune/core'
import {
  type Probabilities,
  consensus,
  consensusEntropy,
  kCentreGreedy,
  leastConfidence,
  marginUncertainty,
  predictionEntropy,
  voteEntropy,
} from '@attune/study'
import type { Prediction } from '@attune/trainer'
import { openPredictor } from '@attune/trainer/node'
import { folderOf } from '../../hub-models.js'
import { searchPathsFrom } from '../../search-paths.js'

/** Methods that choose examples to label. */
export const METHODS = [
  'least-confidence',
  'margin',
  'entropy',
  'vote-entropy',
  'consensus-entropy',
  'diversity',
] as const
export type Method = (typeof METHODS)[number]

/** A row of the pool that was chosen, the most informative first. */
export interface Selected {
  readonly row: Example
  /** The label or labels that the model, or the committee, predicts. */
  readonly prediction: unknown
  /** Score of the method; for `diversity` the position of the choice, from 1. */
  readonly score: number
}

/** Predictions of the rows by a saved model. @throws AttuneError the first error of a row */
async function predictAll(model: string, rows: readonly Example[], trust: boolean): Promise<readonly Prediction[]> {
  const predictor = await openPredictor(await folderOf(model), { searchPaths: searchPathsFrom(), trust })
  try {
    const answers = await predictor.predict(rows)
    const failed = answers.find(isAttuneError)
    if (failed !== undefined) throw failed
    return answers as readonly Prediction[]
  } finally {
    await predictor.close()
  }
}

/** Scores by label of a prediction. @throws AttuneError `BAD_USAGE` for a model that does not classify texts */
function scoresOf(prediction: Prediction, model: string): Readonly<Record<string, number>> {
  const scores = prediction['scores']
  if (isRecord(scores)) return scores as Record<string, number>
  throw new AttuneError(
    'BAD_USAGE',
    `${model}: expected a classifier of texts, whose predictions have a probability for each label`,
    'Name the run of a sequence-classification or multi-label-classification with --run.',
  )
}

/** Distributions of a prediction: one over the labels, or for several labels per text one of each label (yes, no). */
function distributions(prediction: Prediction, model: string, labels: readonly string[]): readonly Probabilities[] {
  const scores = scoresOf(prediction, model)
  const missing = [...labels, ...Object.keys(scores)].find((name) => !labels.includes(name) || !(name in scores))
  if (missing !== undefined)
    throw new AttuneError(
      'BAD_USAGE',
      `${model}: expected the same labels in all runs, got "${missing}" in one only`,
      'Train the runs of a committee on the same labels.',
    )
  const values = labels.map((name) => scores[name]!)
  return 'labels' in prediction ? values.map((p) => [p, 1 - p]) : [values]
}

const OF_COMMITTEE: Readonly<Record<string, (members: readonly Probabilities[]) => number>> = {
  'least-confidence': (members) => leastConfidence(consensus(members)),
  margin: (members) => marginUncertainty(consensus(members)),
  entropy: (members) => predictionEntropy(consensus(members)),
  'vote-entropy': voteEntropy,
  'consensus-entropy': consensusEntropy,
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The label with the highest mean score, or the labels whose mean score is at least 0.5. */
function predicted(
  members: readonly (readonly Probabilities[])[],
  labels: readonly string[],
  isMulti: boolean,
): unknown {
  if (isMulti) return labels.filter((_, i) => mean(members.map((member) => member[i]![0]!)) >= 0.5)
  const scores = consensus(members.map(([only]) => only!))
  return labels[scores.indexOf(Math.max(...scores))]
}

/** The pool, the models and the method of a selection. */
export interface SelectRequest {
  readonly pool: readonly Example[]
  /** Labelled rows, from which diverse rows keep a distance. */
  readonly labelled: readonly Example[]
  readonly runs: readonly string[]
  readonly method: Method
  readonly count: number
  /** Text encoder of the vectors for `diversity`. */
  readonly embeddings?: string | undefined
  readonly trust: boolean
}

async function diverse({ pool, labelled, runs, count, embeddings, trust }: SelectRequest, labels: readonly string[]) {
  const model = embeddings ?? runs[0]!
  const all = await predictAll(model, [...pool, ...labelled], trust)
  const vectors = all.map((prediction) => {
    const { embedding } = prediction
    return Array.isArray(embedding) ? (embedding as number[]) : distributions(prediction, model, labels).flat()
  })
  return kCentreGreedy(vectors.slice(0, pool.length), count, vectors.slice(pool.length))
}

/**
 * Selects the rows of a pool that are most useful to label. Several runs are a committee; scores of one model are then those of its mean.
 * With several labels per text, a score is the mean over the labels.
 * @throws AttuneError `BAD_USAGE` for models that do not classify texts or have different labels; the errors of the rows
 */
export async function selectRows(request: SelectRequest): Promise<readonly Selected[]> {
  const { pool, runs, method, count, trust } = request
  const answers: (readonly Prediction[])[] = []
  for (const run of runs) answers.push(await predictAll(run, pool, trust))
  const labels = Object.keys(scoresOf(answers[0]![0]!, runs[0]!))
  const isMulti = 'labels' in answers[0]![0]!
  const members = pool.map((_, i) => answers.map((each, run) => distributions(each[i]!, runs[run]!, labels)))
  const at = (i: number, score: number): Selected => ({
    row: pool[i]!,
    prediction: predicted(members[i]!, labels, isMulti),
    score,
  })
  if (method === 'diversity') return (await diverse(request, labels)).map((i, order) => at(i, order + 1))
  const scoreOf = OF_COMMITTEE[method]!
  const scored = members.map((each, i) =>
    at(i, mean(each[0]!.map((_, part) => scoreOf(each.map((member) => member[part]!))))),
  )
  return scored.sort((a, b) => b.score - a.score).slice(0, count)
}
