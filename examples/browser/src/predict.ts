/** Prediction, saving and loading of a classifier. */
import { type Files, type HostArray, type Objective, type Params, isRecord, parseJson } from '@attune/core'
import { inference, modelFiles, writeFiles } from '@attune/trainer'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import bert from '@attune/model-bert'
import sequenceClassification from '@attune/objective-sequence-classification'
import tfjsCpu from '@attune/engine-tfjs-cpu'
import wordpiece from '@attune/tokenizer-wordpiece'
import type { Classifier } from './fine-tune.js'

/** A predicted label and the probability of each label. */
export interface Prediction {
  readonly label: string
  readonly scores: Readonly<Record<string, number>>
}

/** Predicts the label of each text. */
export async function predict(
  { engine, model, objective, params }: Classifier,
  texts: readonly string[],
): Promise<readonly Prediction[]> {
  const forward = inference(engine, model, objective, { batchSize: 8 })
  const items = texts.map((text) => objective.encodeUnlabelled({ text }))
  const predictions = await forward.batch(params, items)
  forward.dispose()
  return predictions as unknown as readonly Prediction[]
}

/** Saves a classifier in the transformers layout: config.json, model.safetensors, tokenizer.json. */
export const save = async (classifier: Classifier, to: Files): Promise<void> =>
  writeFiles(to, await modelFiles(classifier, classifier.params))

async function readObject(files: Files, name: string): Promise<Record<string, unknown>> {
  const content = parseJson(new TextDecoder().decode(await files.read(name)))
  if (!isRecord(content)) throw new Error(`${name} is not a JSON object`)
  return content
}

/** Loads a classifier that {@link save} wrote. */
export async function open(files: Files): Promise<Classifier> {
  const config = await readObject(files, 'config.json')
  const tokenizer = wordpiece({ json: await readObject(files, 'tokenizer.json') })
  const model = bert(bert.options.parse(optionsFromConfig(bert.options, config)))
  const labels = Object.values(config['id2label'] as Record<string, string>)
  const objective = sequenceClassification({ labels, maximumLength: 24 }, { model, tokenizer }) as Objective
  const engine = tfjsCpu()
  await engine.start()
  const { tensors } = decodeSafetensors(await files.read('model.safetensors'), 'model.safetensors')
  const params = engine.put(tensors as Record<string, HostArray>) as unknown as Params
  return { engine, model, tokenizer, objective, params }
}
