import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Engine,
  type Model,
  OBJECTIVE,
  type Objective,
  type Params,
  type Tokenizer,
  fieldsRead,
  fileName,
} from '@attune/core'
import { type SearchPaths, findInstalled } from '@attune/resolve'
import { chooseEngine } from '../plan/choose-engine.js'
import { warningsOf } from '../setup/load-report.js'
import { requireModel } from '../files/require-model.js'
import { adapterConfig, adapterFolderOf, adapterOf } from '../files/saved-adapter.js'
import { describeModel } from '../files/model-folder.js'
import { modelFor } from '../files/saved-plugin.js'
import { withSentenceFiles } from '../files/sentence-files.js'
import { savedParameters } from '../setup/weights.js'
import { adapterFor, applyAdapter } from './apply-adapter.js'
import { withinVocabulary } from './within-vocabulary.js'

/** An objective and its options, as under `objective` in a configuration. */
export interface ObjectiveChoice {
  readonly use: string
  readonly [option: string]: unknown
}

/** A pretrained model in the Hugging Face file layout, ready for inference. */
export interface Pretrained {
  readonly engine: Engine
  readonly model: Model
  readonly tokenizer: Tokenizer
  readonly objective: Objective
  /** The objective's name. */
  readonly task: string
  /** Fields of an example that the objective reads. */
  readonly fields: readonly string[]
  /** Folder of the adapter that is saved beside the model and applied to it; undefined if there is none. */
  readonly adapter: string | undefined
  /** The parameters, including the head. */
  readonly params: Params
  /** Generation settings: the content of generation_config.json; undefined if there is none. */
  readonly generation: Readonly<Record<string, unknown>> | undefined
  /** Warnings from loading the model. */
  readonly warnings: readonly string[]
  close(): Promise<void>
}

/**
 * Loads a pretrained model with the head for an objective, on the best available engine. The model is a folder in the Hugging Face
 * file layout, a run folder, or a GGUF file.
 * @param objectiveFor chooses the objective from the model and its config.json
 * @param options `adapter`: folder of a saved adapter to apply, also of a run, instead of one beside the model
 * @throws AttuneError `RUN_UNFINISHED`, `FILE_NOT_FOUND`, `BAD_MODEL_FOLDER`, `UNKNOWN_MODEL_TYPE`, `MISSING_WEIGHTS`, and errors of the plugins
 */
export async function loadPretrained(
  directory: string,
  objectiveFor: (model: Model, config: Readonly<Record<string, unknown>>) => ObjectiveChoice,
  searchPaths: SearchPaths,
  { adapter: given }: { readonly adapter?: string | undefined } = {},
): Promise<Pretrained> {
  if (existsSync(join(directory, 'run.json'))) requireModel(directory)
  const folder = existsSync(join(directory, 'model', 'config.json')) ? join(directory, 'model') : directory
  const { config, generation, tokenizer: makeTokenizer } = describeModel(folder)
  const { model, notes } = await modelFor(config, folder, searchPaths)
  const tokenizer = withinVocabulary(await makeTokenizer(searchPaths), model)
  const { use, ...options } = objectiveFor(model, config)
  const { plugin } = await findInstalled(OBJECTIVE, fileName(use), searchPaths)
  const complete = withSentenceFiles(plugin, options, folder)
  const fields = fieldsRead({ plugin, options: plugin.options.parse(complete) })
  const choice = await chooseEngine(searchPaths)
  const engine = choice.engine.plugin() as Engine
  const own = given === undefined ? adapterOf(folder) : adapterFolderOf(given)
  const adapter = own === undefined ? undefined : await adapterFor(own, { engine, tokenizer }, searchPaths)
  const described = adapter?.describe?.(model, adapterConfig(own as string)) ?? model
  const objective = plugin(complete, { model: described, tokenizer }) as Objective
  await engine.start()
  try {
    const { params, report } = savedParameters({ engine, model, objective }, folder)
    const base = { model, params }
    const loaded = adapter === undefined ? base : await applyAdapter({ engine, adapter }, base, own as string)
    const warnings = [...notes, ...warningsOf(report)]
    const close = (): Promise<void> => engine.close()
    const parts = { engine, tokenizer, objective, task: plugin.name, fields, adapter: own }
    return { ...parts, ...loaded, warnings, generation, close }
  } catch (error) {
    await engine.close()
    throw error
  }
}
