import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Model } from '@attune/core'
import type { SearchPaths } from '@attune/resolve'
import { inference } from './infer.js'
import { type ObjectiveChoice, loadPretrained } from './load-pretrained.js'
import type { Predictor } from './predictor.js'
import { predictorOf } from './predictor-of.js'

const BATCH = 32

type Config = Readonly<Record<string, unknown>>

const notAClassifier = (why: string, remedy: string): AttuneError => new AttuneError('NOT_A_CLASSIFIER', why, remedy)

/** Labels of a saved classifier by class id; `LABEL_0`, `LABEL_1`, … if it has none, as in transformers. */
function labelsOf({ id2label, num_labels: count = 2 }: Config): readonly string[] {
  if (typeof id2label !== 'object' || id2label === null)
    return Array.from({ length: Number(count) }, (_, i) => `LABEL_${i}`)
  const labels = Object.keys(id2label).map((_, i) => (id2label as Readonly<Record<string, unknown>>)[i])
  if (labels.length > 0 && labels.every((label) => typeof label === 'string')) return labels
  throw notAClassifier(
    `config.json: expected a label for every class id from 0 in id2label, got ${JSON.stringify(id2label).slice(0, 120)}`,
    'Correct it, for example: { "0": "negative", "1": "positive" }.',
  )
}

/** Objectives without labels whose head is one layer, by their name. */
const UNLABELLED = ['span-extraction', 'multiple-choice', 'next-sentence-prediction', 'sentence-order-prediction']

/** True for the ordered labels of a saved ordinal classifier. */
const areLabels = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 1 && value.every((label) => typeof label === 'string')

/** Options of a token classifier whose labels are predicted together, by a conditional random field. */
const sequenceOptions = ({ crf, tagging_scheme: scheme }: Config): Config =>
  crf === true ? { crf, ...(scheme === undefined ? {} : { scheme }) } : {}

/**
 * Returns the objective and the labels of a saved classifier, by the class named in `architectures` and by `problem_type`: one label,
 * several labels, or a number. A model that answers
 * questions, chooses, or compares sentences has no labels.
 * @throws AttuneError `NOT_A_CLASSIFIER`
 */
export function classifierObjective({ heads }: Model, config: Config): ObjectiveChoice {
  const architecture = [config['architectures']].flat()[0]
  const use = Object.keys(heads).find(
    (name) => heads[name]!.architecture === architecture && 'classifier.weight' in heads[name]!.tensors,
  )
  if (use === undefined)
    throw notAClassifier(
      `config.json: expected a classifier of this model family in architectures, got ${JSON.stringify(architecture)?.slice(0, 80) ?? 'none'}`,
      'To generate text, use `npx attune generate`. To classify, fine-tune the model first.',
    )
  if (UNLABELLED.includes(use)) return { use }
  const labels = labelsOf(config)
  const problem = config['problem_type'] ?? (labels.length === 1 ? 'regression' : 'single_label_classification')
  if (use === 'sequence-classification') {
    const { ordinal_labels: ordered } = config
    if (areLabels(ordered)) return { use: 'ordinal-classification', labels: ordered }
    if (problem === 'regression' && labels.length === 1) return { use: 'regression' }
    if (problem === 'multi_label_classification') return { use: 'multi-label-classification', labels }
  }
  if (labels.length < 2 || problem !== 'single_label_classification')
    throw notAClassifier(
      `expected a classifier with at least 2 classes or a regression with one output, got ${labels.length} output${labels.length === 1 ? '' : 's'} for ${JSON.stringify(problem)}`,
      'Correct `problem_type` and `id2label` in config.json, or use another model.',
    )
  return { use, labels, ...(use === 'token-classification' ? sequenceOptions(config) : {}) }
}

/** Returns the objective of a saved model: a classifier's, or that of the text embeddings of a sentence-transformers model. */
export function savedObjective(directory: string, model: Model, config: Config): ObjectiveChoice {
  const [architecture] = [config['architectures']].flat()
  const isEncoder = 'contrastive' in model.heads && !/Classification$/.test(String(architecture))
  return isEncoder && existsSync(join(directory, 'modules.json'))
    ? { use: 'contrastive' }
    : classifierObjective(model, config)
}

/**
 * Opens a classifier or a sentence-transformers model, in its file layout, on the best available engine.
 * @throws AttuneError `NOT_A_CLASSIFIER`, `UNSUPPORTED_MODULE`, and the errors of {@link loadPretrained}
 */
export async function openPretrainedPredictor(directory: string, searchPaths: SearchPaths): Promise<Predictor> {
  const { engine, model, objective, task, params, fields, warnings, close } = await loadPretrained(
    directory,
    (created, config) => savedObjective(directory, created, config),
    searchPaths,
  )
  const forward = inference(engine, model, objective, { batchSize: BATCH, sameParams: true })
  return predictorOf({ task, fields, folder: directory, objective, forward, params, warnings, close })
}
