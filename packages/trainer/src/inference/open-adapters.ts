import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import {
  type AnyPlugin,
  type Engine,
  type Example,
  type Model,
  OBJECTIVE,
  type Objective,
  type Params,
  type SavedAdapter,
  type Tokenizer,
  choosePlugins,
  fieldsRead,
  fileName,
  isAttuneError,
} from '@attune/core'
import { type SearchPaths, findInstalled } from '@attune/resolve'
import { cleaning } from '../data/clean.js'
import { describeModel } from '../files/model-folder.js'
import { openRun } from '../files/run-folder.js'
import { adapterConfig, adapterFolderOf, readAdapter } from '../files/saved-adapter.js'
import { withSentenceFiles } from '../files/sentence-files.js'
import { headOf, headTensors } from '../merge/adapter-head.js'
import { type BaseModel, openBase } from '../merge/base-model.js'
import { chooseEngine } from '../plan/choose-engine.js'
import { placesOf } from '../plan/lookup.js'
import { completed } from '../setup/compose.js'
import { adaptAround } from '../setup/frozen-encoder.js'
import { countParameters } from '../setup/weights.js'
import { adapterFor } from './apply-adapter.js'
import { type InferenceProgram, inference, inferenceProgram } from './infer.js'
import { ITSELF, type Target, type Targets, predictorOfTargets } from './predictor-of.js'
import type { Predictor, PredictorOptions } from './predictor.js'
import { savedObjective } from './pretrained-predictor.js'
import { withinVocabulary } from './within-vocabulary.js'

const BATCH = 32

/** The base model, shared by its adapters. */
interface SharedBase {
  readonly engine: Engine
  readonly base: BaseModel
  readonly tokenizer: Tokenizer
  readonly options: PredictorOptions
  readonly searchPaths: SearchPaths
  /** Compiled programs by what they compute: adapters of one shape share one. */
  readonly programs: Map<string, { readonly model: Model; readonly program: InferenceProgram }>
}

/** An objective without its model: of a run, or of a `config.json`. */
interface Task {
  readonly plugin: AnyPlugin
  readonly options: Readonly<Record<string, unknown>>
  readonly clean?: (example: Example) => Example
}

/** The task of a run, with its learned options and its cleaners. */
async function taskOfRun(directory: string, options: PredictorOptions, searchPaths: SearchPaths): Promise<Task> {
  const run = openRun(directory, { ...options, searchPaths })
  const { objective, cleaner } = run.config
  const chosen = await choosePlugins({ objective, cleaner }, run.lookup)
  const own = completed(chosen.objective, run.learned.options)
  return { plugin: own.plugin, options: own.options, clean: cleaning(chosen.cleaner, chosen.objective) }
}

/** The task that a `config.json` describes. @throws AttuneError `NOT_A_CLASSIFIER` */
async function taskOfConfig({ base, searchPaths }: SharedBase, config: BaseModel['config']): Promise<Task> {
  const { use, ...options } = savedObjective(base.folder, base.model, config)
  const { plugin } = await findInstalled(OBJECTIVE, fileName(use), searchPaths)
  return { plugin, options: plugin.options.parse(withSentenceFiles(plugin, options, base.folder)) as Task['options'] }
}

/** Objectives of the task types of peft that have a head. */
const TASK_TYPES: Readonly<Record<string, string>> = {
  SEQ_CLS: 'sequence-classification',
  TOKEN_CLS: 'token-classification',
}

/** The task of an adapter that no run saved: that of its own head, if it has one, otherwise that of the model. */
function taskOfSaved(shared: SharedBase, { tensors, config }: SavedAdapter): Promise<Task> {
  const { model, config: ofBase } = shared.base
  const [architecture] = [ofBase['architectures']].flat()
  const ofModel = Object.keys(model.heads).find((name) => model.heads[name]!.architecture === architecture)
  const objective = TASK_TYPES[String(config['task_type'])] ?? ofModel
  const head = headOf(model, { tensors, config: ofBase }, new Set(), { objective })
  return taskOfConfig(shared, { ...ofBase, ...head?.config })
}

const isRun = (directory: string): boolean => existsSync(join(directory, 'run.json'))

/** The folder of the run that saved an adapter; undefined if no run did. */
function runOf(directory: string, adapter: string): string | undefined {
  const above = dirname(adapter)
  return [directory, above, ...(basename(above) === 'model' ? [dirname(above)] : [])].find(isRun)
}

/** Key of a program: the method and its settings, the task, and the shapes of all parameters. */
const identityOf = (config: unknown, { plugin, options }: Task, objective: Objective, params: Params): string => {
  const shapes = Object.entries(params).map(([name, { shape, dtype }]) => [name, dtype, shape])
  const { labels: _names, ...settings } = options
  return JSON.stringify([config, plugin.name, settings, objective.maximumLength, shapes.sort()])
}

/** A target with a program that other adapters of the same shape share. */
function targetOf(
  { engine, programs }: SharedBase,
  { plugin, options, clean }: Task,
  given: Pick<Target, 'folder' | 'objective' | 'params'> & { readonly model: Model; readonly config: unknown },
): Target {
  const { folder, objective, params } = given
  const identity = identityOf(given.config, { plugin, options }, objective, params)
  const shared = programs.get(identity)
  const { model, program } = shared ?? { model: given.model, program: inferenceProgram(engine, given.model, objective) }
  if (shared === undefined) programs.set(identity, { model, program })
  const fields = fieldsRead({ plugin, options })
  const forward = inference(engine, model, objective, { batchSize: BATCH, program })
  return { task: plugin.name, fields, folder, objective, forward, params, ...(clean === undefined ? {} : { clean }) }
}

/** Opens an adapter on the base, whose tensors it shares; heads that the adapter saved replace those of the base. */
async function openAdapter(shared: SharedBase, directory: string): Promise<Target> {
  const { engine, base, tokenizer, options, searchPaths } = shared
  const folder = adapterFolderOf(directory)
  const saved = readAdapter(engine, folder, countParameters(base.params))
  const run = runOf(directory, folder)
  const task = run === undefined ? await taskOfSaved(shared, saved) : await taskOfRun(run, options, searchPaths)
  const adapter = await adapterFor(folder, { engine, tokenizer }, searchPaths)
  const described = adapter.describe?.(base.model, adapterConfig(folder)) ?? base.model
  const objective = task.plugin(task.options, { model: described, tokenizer }) as Objective
  const adapted = await adaptAround(
    { adapter, model: base.model },
    { ...base.params, ...headTensors(base.model, saved.tensors) },
    { saved },
  )
  const params = { ...adapted.frozen, ...adapted.trainable }
  const config = { ...adapted.config, base_model_name_or_path: null }
  return targetOf(shared, task, { folder, objective, params, model: adapted.model, config })
}

/** The base model without an adapter; undefined if it has no head for a task. */
async function openItself(shared: SharedBase, directory: string): Promise<Target | undefined> {
  const { base, tokenizer, options, searchPaths } = shared
  try {
    const task = isRun(directory)
      ? await taskOfRun(directory, options, searchPaths)
      : await taskOfConfig(shared, base.config)
    const objective = task.plugin(task.options, { model: base.model, tokenizer }) as Objective
    return targetOf(shared, task, {
      folder: base.folder,
      objective,
      params: base.params,
      model: base.model,
      config: null,
    })
  } catch (error) {
    if (isAttuneError(error) && error.code === 'NOT_A_CLASSIFIER') return undefined
    throw error
  }
}

/**
 * Opens a model once for several saved adapters, which share its tensors on the device. Adapters of one method with the same settings,
 * layers and task share one compiled program; their tensors are its arguments.
 * @param directory folder of the base model in the Hugging Face file layout, or of a run without a merged adapter
 * @throws AttuneError `BAD_ADAPTER`, and the errors of {@link openPredictor}
 */
export async function openAdapters(
  directory: string,
  options: PredictorOptions,
  engineOf?: () => Engine,
): Promise<Predictor> {
  const searchPaths = placesOf(options)
  const engine = engineOf?.() ?? ((await chooseEngine(searchPaths)).engine.plugin() as Engine)
  await engine.start()
  try {
    const base = await openBase(engine, directory, searchPaths)
    const tokenizer = withinVocabulary(await describeModel(base.folder).tokenizer(searchPaths), base.model)
    const shared: SharedBase = { engine, base, tokenizer, options, searchPaths, programs: new Map() }
    const targets = new Map<string | typeof ITSELF, Target>()
    const itself = await openItself(shared, directory)
    if (itself !== undefined) targets.set(ITSELF, itself)
    for (const [name, folder] of Object.entries(options.adapters ?? {}))
      targets.set(name, await openAdapter(shared, resolve(options.baseDirectory ?? '.', folder)))
    const close = async (): Promise<void> => {
      for (const { program } of shared.programs.values()) program.dispose()
      await engine.close()
    }
    return await predictorOfTargets(targets as Targets, { warnings: base.notes, close })
  } catch (error) {
    await engine.close()
    throw error
  }
}
