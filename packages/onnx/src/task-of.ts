import type { Model } from '@attune/core'
import { type ObjectiveChoice, classifierObjective } from '@attune/trainer/node'
import { cannotExport } from './cannot-export.js'
import { encoderTasks } from './encoder-graph.js'

const DECODER = 'causal-language-modeling'
const ENCODER_DECODER = 'sequence-to-sequence'
const CLASSIFIERS = ['sequence-classification', 'token-classification']

/** Objectives whose models can be exported. */
export const exportedTasks = [...encoderTasks, DECODER, ENCODER_DECODER]

/**
 * Returns the objective of a saved model by the class named in `architectures`.
 * @throws AttuneError `CANNOT_EXPORT`, and `NOT_A_CLASSIFIER` for a classifier with unusual labels
 */
export function taskOf(model: Model, config: Readonly<Record<string, unknown>>): ObjectiveChoice {
  const architecture = [config['architectures']].flat()[0]
  const tasks = Object.keys(model.heads).filter((name) => exportedTasks.includes(name))
  const use = tasks.find((name) => model.heads[name]!.architecture === architecture)
  if (use === 'token-classification' && config['crf'] === true)
    throw cannotExport(
      'config.json: expected a classifier of single words, got one with a conditional random field, whose decoding is not part of a graph',
      'Predict with Attune, or train it with `crf: false`.',
    )
  if (use !== undefined) {
    const choice = CLASSIFIERS.includes(use) ? classifierObjective(model, config) : { use }
    if (exportedTasks.includes(choice.use)) return choice
    throw cannotExport(
      `config.json: expected a problem_type that can be exported, got ${JSON.stringify(config['problem_type'])}`,
      'Export a single-label classifier.',
    )
  }
  const known = tasks.map((name) => `${model.heads[name]!.architecture} (${name})`)
  throw cannotExport(
    `config.json: expected one of ${known.join(', ') || 'no class of this model family'} in architectures, got ${JSON.stringify(architecture)?.slice(0, 80) ?? 'none'}`,
    'Name the class of the saved weights under `architectures`, or export a model of another family.',
  )
}
