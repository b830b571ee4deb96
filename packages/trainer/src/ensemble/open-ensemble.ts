import { join } from 'node:path'
import { AttuneError, type Example, isAttuneError, isRecord } from '@attune/core'
import { digest } from '@attune/files'
import type { OpenOptions } from '../files/run-folder.js'
import type { Prediction, Predictor } from '../inference/predictor.js'
import { type Combination, combined } from './combine.js'
import { readEnsemble } from './ensemble-file.js'

/**
 * Probabilities of a prediction in the order of the labels.
 * @throws AttuneError `NOT_A_CLASSIFIER` for a prediction without one for each label
 */
export function probabilitiesOf(prediction: Prediction, labels: readonly string[], where: string): number[] {
  const { scores } = prediction
  const found = isRecord(scores) ? labels.map((label) => scores[label]) : []
  if (found.length === labels.length && found.every((score) => typeof score === 'number')) return found as number[]
  throw new AttuneError(
    'NOT_A_CLASSIFIER',
    `expected a model that predicts a probability for each of ${labels.length} labels, got another (${where})`,
    'Combine runs of sequence-classification with the same labels; average weights with --method soup.',
  )
}

/** The prediction of the ensemble for one example. */
function together(
  answers: readonly (Prediction | AttuneError)[],
  labels: readonly string[],
  combination: Combination,
  example: Example,
): Prediction | AttuneError {
  const failed = answers.find(isAttuneError)
  if (failed !== undefined) return failed
  const given = answers as readonly Prediction[]
  const members = given.map((each) => probabilitiesOf(each, labels, 'a member'))
  const probabilities = combined(members, combination, example)
  const best = probabilities.indexOf(Math.max(...probabilities))
  return {
    label: labels[best],
    scores: Object.fromEntries(labels.map((label, i) => [label, probabilities[i]])),
    truncated: given.some(({ truncated }) => truncated),
  }
}

/**
 * Opens an ensemble folder as one predictor.
 * @param openMember opens the predictor of a run folder
 * @throws AttuneError `RUN_DAMAGED`; the errors of its members
 */
export async function openEnsemble(
  folder: string,
  options: OpenOptions,
  openMember: (directory: string, options: OpenOptions) => Promise<Predictor>,
): Promise<Predictor> {
  const { members: names, labels, combination } = readEnsemble(folder)
  const members: Predictor[] = []
  const close = async (): Promise<void> => {
    for (const member of members) await member.close()
  }
  try {
    for (const name of names) members.push(await openMember(join(folder, name), options))
  } catch (error) {
    await close()
    throw error
  }
  const versions = members.map(({ describes }) => describes.version)
  return {
    describes: { ...members[0]!.describes, labels, version: digest(JSON.stringify([versions, combination])) },
    warnings: [...new Set(members.flatMap(({ warnings }) => warnings))],
    async predict(examples, how) {
      const answers = await Promise.all(members.map((member) => member.predict(examples, how)))
      return examples.map((example, i) =>
        together(
          answers.map((each) => each[i]!),
          labels,
          combination,
          example,
        ),
      )
    },
    close,
  }
}
