import { AttuneError, type Model } from '@attune/core'
import type { SearchPlaces } from '@attune/resolve'
import { inference } from './infer.js'
import { type Wanted, loadPretrained } from './load-pretrained.js'
import type { Predictor } from './predictor.js'
import { predictorOf } from './predictor-of.js'

const BATCH = 32

type Config = Readonly<Record<string, unknown>>

const notAClassifier = (why: string, remedy: string): AttuneError => new AttuneError('NOT_A_CLASSIFIER', why, remedy)

/** The names of a saved classifier's labels, by number; as transformers has it, `LABEL_0` and so on where none are given. */
function labelsOf({ id2label, num_labels: count = 2 }: Config): readonly string[] {
  if (typeof id2label !== 'object' || id2label === null)
    return Array.from({ length: Number(count) }, (_, i) => `LABEL_${i}`)
  const labels = Object.keys(id2label).map((_, i) => (id2label as Readonly<Record<string, unknown>>)[i])
  if (labels.length > 0 && labels.every((label) => typeof label === 'string')) return labels
  throw notAClassifier(
    `id2label in config.json names no label for each number from 0: ${JSON.stringify(id2label).slice(0, 120)}`,
    'Correct it: { "0": "negative", "1": "positive" }, say.',
  )
}

/**
 * The objective that a saved classifier was trained for, with its labels: the one whose head is of the class that `architectures` names.
 * @throws AttuneError `NOT_A_CLASSIFIER`
 */
export function classifies({ heads }: Model, config: Config): Wanted {
  const architecture = [config['architectures']].flat()[0]
  const use = Object.keys(heads).find(
    (name) => heads[name]!.architecture === architecture && 'classifier.weight' in heads[name]!.tensors,
  )
  if (use === undefined)
    throw notAClassifier(
      `config.json names ${JSON.stringify(architecture)?.slice(0, 80) ?? 'no class'} under architectures, which is no classifier of this family`,
      'To write text, use `attune generate`; to make a classifier of it, fine-tune it first.',
    )
  const kind = config['problem_type']
  const labels = labelsOf(config)
  if (labels.length < 2 || (kind !== undefined && kind !== null && kind !== 'single_label_classification'))
    throw notAClassifier(
      `it gives ${labels.length} number${labels.length === 1 ? '' : 's'} for ${JSON.stringify(kind ?? 'regression')}, not one label of several`,
      'Only classifiers that choose one label are read.',
    )
  return { use, labels }
}

/**
 * Opens a classifier in the layout of the Hugging Face library on the best engine that works here.
 * @throws AttuneError `NOT_A_CLASSIFIER`, and those of {@link loadPretrained}
 */
export async function openPretrainedPredictor(directory: string, places: SearchPlaces): Promise<Predictor> {
  const { engine, model, objective, task, params, fields, warnings, close } = await loadPretrained(
    directory,
    classifies,
    places,
  )
  const forward = inference(engine, model, objective, { batchSize: BATCH, sameParams: true })
  return predictorOf({ task, fields, folder: directory, objective, forward, params, warnings, close })
}
