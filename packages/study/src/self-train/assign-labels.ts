import { AttuneError, type Example, type Source, isAttuneError, isRecord } from '@attune/core'
import { type Prediction, predictStream } from '@attune/trainer'
import { openPredictor } from '@attune/trainer/node'
import type { StudyOptions } from '../study.js'
import { type PseudoLabel, chooseConfident } from './choose-confident.js'
import { writeRows } from '../write-rows.js'

/** Data of self-training, and the fields that the objective reads. */
export interface SelfTrainingData {
  readonly labelled: Source
  readonly unlabelled: Source
  /** Fields of the text; more than one for pairs. */
  readonly texts: readonly string[]
  readonly label: string
}

/** Settings of the choice of predictions. */
export interface Confidence {
  readonly threshold: number
  readonly balanced: boolean
}

/** Counts of rows with a predicted label. */
export interface Assigned {
  readonly unlabelled: number
  readonly rejected: number
  readonly byLabel: Readonly<Record<string, number>>
}

const keyOf = (row: Example, texts: readonly string[]): string => JSON.stringify(texts.map((field) => row[field]))

/** Unlabelled rows whose text is not among the labelled ones. */
async function* otherRows({ labelled, unlabelled, texts }: SelfTrainingData): AsyncGenerator<Example> {
  const known = new Set<string>()
  for await (const row of labelled.open()) known.add(keyOf(row, texts))
  for await (const row of unlabelled.open(undefined, texts)) if (!known.has(keyOf(row, texts))) yield row
}

/** The label of a prediction with its probability. @throws AttuneError `NOT_A_CLASSIFIER` */
function pseudoLabelOf({ label, scores }: Prediction, teacher: string): PseudoLabel {
  const probability = isRecord(scores) && typeof label === 'string' ? scores[label] : undefined
  if (typeof label === 'string' && typeof probability === 'number') return { label, probability }
  throw new AttuneError(
    'NOT_A_CLASSIFIER',
    `expected a model that predicts a label and its probability, got another (${teacher})`,
    'Use a configuration of sequence-classification.',
  )
}

/** Predictions of the unlabelled rows by the model of a run; undefined for rows that it rejects. */
async function predicted(teacher: string, data: SelfTrainingData, { searchPaths }: StudyOptions) {
  const predictor = await openPredictor(teacher, searchPaths === undefined ? {} : { searchPaths })
  const found: (PseudoLabel | undefined)[] = []
  try {
    for await (const { answer } of predictStream(predictor, otherRows(data)))
      found.push(isAttuneError(answer) ? undefined : pseudoLabelOf(answer, teacher))
  } finally {
    await predictor.close()
  }
  return found
}

/** Labelled rows, then the chosen unlabelled rows with their predicted labels. */
async function* trainingRows(
  data: SelfTrainingData,
  predictions: readonly (PseudoLabel | undefined)[],
  isChosen: readonly boolean[],
): AsyncGenerator<Example> {
  yield* data.labelled.open()
  let at = 0
  for await (const row of otherRows(data)) {
    if (isChosen[at] === true) yield { ...row, [data.label]: predictions[at]!.label }
    at++
  }
}

/**
 * Labels rows by the model of a run where it is confident, and writes them after the labelled rows. Reads the unlabelled rows twice, and
 * keeps only their predicted labels in memory.
 * @param file JSONL file to write
 * @throws AttuneError `NOTHING_CONFIDENT`, `EMPTY_DATASET`, `NOT_A_CLASSIFIER`
 */
export async function assignLabels(
  teacher: string,
  data: SelfTrainingData,
  { threshold, balanced }: Confidence,
  file: string,
  options: StudyOptions,
): Promise<Assigned> {
  const predictions = await predicted(teacher, data, options)
  if (predictions.length === 0)
    throw new AttuneError(
      'EMPTY_DATASET',
      `${data.unlabelled.location}: expected rows that are not among the training data, got none`,
      'Name another file of unlabelled rows.',
    )
  const isChosen = chooseConfident(predictions, threshold, balanced)
  const chosen = predictions.filter((_, i) => isChosen[i]) as readonly PseudoLabel[]
  if (chosen.length === 0) {
    const highest = Math.max(0, ...predictions.map((each) => each?.probability ?? 0))
    throw new AttuneError(
      'NOTHING_CONFIDENT',
      `expected a probability of at least ${threshold} for a row of ${data.unlabelled.location}, got at most ${highest.toFixed(3)} (the model in ${teacher})`,
      'Lower the threshold, or label more rows.',
    )
  }
  await writeRows(file, trainingRows(data, predictions, isChosen))
  const counts = new Map<string, number>()
  for (const { label } of chosen) counts.set(label, (counts.get(label) ?? 0) + 1)
  const byLabel = Object.fromEntries([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)))
  return { unlabelled: predictions.length, rejected: predictions.filter((each) => each === undefined).length, byLabel }
}
