import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Engine, type Model, type Params } from '@attune/core'
import type { SearchPaths } from '@attune/resolve'
import type { FloatStorage, StoredTensor, WeightsReader } from '@attune/weights'
import { openWeights } from '@attune/weights/node'
import { describeModel } from '../files/model-folder.js'
import { requireModel } from '../files/require-model.js'
import { sameValues } from '../files/same-values.js'
import { modelFor } from '../files/saved-plugin.js'
import { secondCopies } from '../setup/load-report.js'
import { initialParameters, savedName } from '../setup/weights.js'

/** A saved model whose weights an adapter may change. */
export interface BaseModel {
  readonly folder: string
  readonly config: Readonly<Record<string, unknown>>
  readonly model: Model
  /** All tensors of floating-point type, under the model's names; those that the model does not know keep their own. */
  readonly params: Params
  /** Names in the weight files, by name in `params`. */
  readonly storedAs: ReadonlyMap<string, string>
  /** Copies of the word embeddings under other names. */
  readonly copies: readonly string[]
  /** Element type of the weight files: float16 if all are, otherwise float32. */
  readonly floats: FloatStorage
  /** Differences between the configuration and the weights, one sentence each. */
  readonly notes: readonly string[]
}

const isFloat = ({ dtype }: StoredTensor): boolean => /^B?F\d+$/.test(dtype)

/** The folder of a model: itself, or the model of a run's folder. */
export function modelFolderOf(directory: string): string {
  if (existsSync(join(directory, 'run.json'))) requireModel(directory)
  return existsSync(join(directory, 'model', 'config.json')) ? join(directory, 'model') : directory
}

/** Names of the tensors of a checkpoint, by the model's names. */
function namesIn(reader: WeightsReader, { prefix }: Model, own: readonly string[]): Map<string, string> {
  const floats = new Map([...reader.tensors].filter(([, stored]) => isFloat(stored)))
  const known = own.flatMap((name): [string, string][] => {
    const alias = savedName(name, prefix, floats)
    return alias === undefined ? [] : [[name, alias]]
  })
  const used = new Set(known.map(([, alias]) => alias))
  return new Map([
    ...known,
    ...[...floats.keys()].filter((name) => !used.has(name)).map((name) => [name, name] as const),
  ])
}

/** Copies of the word embeddings in the checkpoint, which a merge that changes these must change too. */
function copiesIn(reader: WeightsReader, { wordEmbeddings }: Model, storedAs: ReadonlyMap<string, string>): string[] {
  const words = storedAs.get(wordEmbeddings)
  if (words === undefined) return []
  const copies = secondCopies(reader.tensors, new Set([words]), reader.tensors.get(words)?.shape, true)
  return copies.filter((name) => sameValues(reader, words, name))
}

/**
 * Loads the weights of a saved model onto the device, all of them.
 * @param directory folder in the Hugging Face file layout, or of a run
 * @throws AttuneError `FILE_NOT_FOUND`, `BAD_MODEL_FOLDER`, `UNKNOWN_MODEL_TYPE`, and the errors of `openWeights`
 */
export async function openBase(engine: Engine, directory: string, searchPaths: SearchPaths): Promise<BaseModel> {
  const folder = modelFolderOf(directory)
  const { config } = describeModel(folder)
  if (!existsSync(join(folder, 'config.json')))
    throw new AttuneError(
      'BAD_MODEL_FOLDER',
      `expected a folder in the Hugging Face file layout, got a GGUF file in ${folder}`,
      'Use the original model, with config.json and model.safetensors: the weights of GGUF files are quantized.',
    )
  const { model, notes } = await modelFor(config, folder, searchPaths)
  const { shapes } = initialParameters({ engine, model, objective: { init: () => ({}) } }, 0)
  const reader = openWeights(folder)
  try {
    const storedAs = namesIn(reader, model, Object.keys(shapes))
    const types = new Set([...reader.tensors.values()].filter(isFloat).map(({ dtype }) => dtype))
    const floats = types.size === 1 && types.has('F16') ? 'float16' : 'float32'
    const params = Object.fromEntries([...storedAs].map(([name, alias]) => [name, engine.put(reader.read(alias))]))
    return { folder, config, model, params, storedAs, copies: copiesIn(reader, model, storedAs), floats, notes }
  } finally {
    reader.close()
  }
}
