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

/** The prediction with the given probabilities, in the order of the labels. */
export const predictionOf = (
  probabilities: readonly number[],
  labels: readonly string[],
  truncated: boolean,
): Prediction => ({
  label: labels[probabilities.indexOf(Math.max(...probabilities))],
  scores: Object.fromEntries(labels.map((label, i) => [label, probabilities[i]])),
  truncated,
})

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
  const isTruncated = given.some(({ truncated }) => truncated)
  return predictionOf(combined(members, combination, example), labels, isTruncated)
}

/** Opens a predictor for each folder; closes those that are open if one fails. */
export async function openMembers(
  folders: readonly string[],
  options: OpenOptions,
  openMember: (directory: string, options: OpenOptions) => Promise<Predictor>,
): Promise<{ readonly members: readonly Predictor[]; close(): Promise<void> }> {
  const members: Predictor[] = []
  const close = async (): Promise<void> => {
    for (const member of members) await member.close()
  }
  try {
    for (const folder of folders) members.push(await openMember(folder, options))
    return { members, close }
  } catch (error) {
    await close()
    throw error
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
  const folders = names.map((name) => join(folder, name))
  const { members, close } = await openMembers(folders, options, openMember)
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
