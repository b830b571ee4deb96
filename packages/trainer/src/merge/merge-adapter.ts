import {
  ADAPTER,
  type Adapter,
  AttuneError,
  ENGINE,
  type Engine,
  type HostArray,
  MODEL,
  type Params,
  RANDOMNESS,
  type SavedAdapter,
  createScope,
  get,
  key,
  provide,
  provideInstance,
} from '@attune/core'
import type { SearchPaths } from '@attune/resolve'
import type { FloatStorage } from '@attune/weights'
import { adapterFolderOf, readAdapter } from '../files/saved-adapter.js'
import { chooseEngine } from '../plan/choose-engine.js'
import { countParameters } from '../setup/weights.js'
import { adapterPlugin } from '../files/adapter-plugin.js'
import { type AdapterHead, headOf } from './adapter-head.js'
import { type BaseModel, openBase } from './base-model.js'
import { changedWeights } from './changed-weights.js'
import { requireNewFolder, writeMerged } from './output-folder.js'
import { subtracted } from './subtract-update.js'

/** Options of {@link mergeSavedAdapter} and {@link unmergeSavedAdapter}. */
export interface MergeOptions {
  /** Folder of the model, in the Hugging Face file layout, or of a run. */
  readonly model: string
  /** Folder of the adapter, in the layout of peft, or of a run with a saved adapter. */
  readonly adapter: string
  /** Folder to write; it must be new or empty. */
  readonly output: string
  /** Specifier of the adapter plugin. Default: the installed plugin that reads the adapter's `peft_type`. */
  readonly use?: string | undefined
  /** Objective of a head that the adapter has and the model lacks, if several have such a head. */
  readonly objective?: string | undefined
  /** Labels of such a head, in the order of the class ids. Default: `LABEL_0`, `LABEL_1`, … */
  readonly labels?: readonly string[] | undefined
  /** Element type of the weights. Default: float16 if those of the model are, otherwise float32. */
  readonly saveAs?: FloatStorage | undefined
  readonly searchPaths: SearchPaths
}

/** Result of a merge. */
export interface MergeReport {
  readonly folder: string
  /** Name of the adapter plugin. */
  readonly adapter: string
  /** Names of the tensors that the adapter changed or added. */
  readonly changed: readonly string[]
  /** Number of tensors of the model. */
  readonly tensors: number
  readonly saveAs: FloatStorage
  /** Maximum difference between the given model and the result merged again. Only of {@link unmergeSavedAdapter}. */
  readonly deviation?: number
  readonly warnings: readonly string[]
}

/** A base model with a saved adapter on it. */
interface Opened {
  readonly engine: Engine
  readonly base: BaseModel
  readonly params: Params
  readonly adapter: Adapter
  readonly saved: SavedAdapter
  readonly plugin: string
  readonly head: AdapterHead | undefined
}

async function openBoth(engine: Engine, options: MergeOptions): Promise<Opened> {
  const { searchPaths, use } = options
  const folder = adapterFolderOf(options.adapter)
  const base = await openBase(engine, options.model, searchPaths)
  const saved = readAdapter(engine, folder, countParameters(base.params))
  const { plugin } = await adapterPlugin(saved.config, folder, searchPaths, use)
  const known = new Set([...base.storedAs.keys(), ...base.storedAs.values()])
  const head = headOf(base.model, { tensors: saved.tensors, config: base.config }, known, options)
  const scope = createScope()
  provideInstance(scope, ENGINE, engine)
  provideInstance(scope, RANDOMNESS, key(0))
  provideInstance(scope, MODEL, base.model)
  provide(scope, plugin, {})
  const params = { ...base.params, ...head?.tensors }
  return { engine, base, params, adapter: get(scope, ADAPTER), saved, plugin: plugin.name, head }
}

/** @throws AttuneError `BAD_ADAPTER` if the adapter changes no weight of the model */
function requireChanges(changed: Params, plugin: string): void {
  if (Object.keys(changed).length > 0) return
  throw new AttuneError(
    'BAD_ADAPTER',
    `adapter ${plugin} changes no weights of the model, so it cannot be merged into them`,
    'Use the adapter next to its base model: `adapter: { use: …, from: FOLDER }`.',
  )
}

/** Writes the model with some tensors changed, and reports it. */
async function finish(opened: Opened, changed: Params, options: MergeOptions, made: string): Promise<MergeReport> {
  const { engine, base, params, plugin, head } = opened
  const { wordEmbeddings } = base.model
  // A class with a head reads full names only: headless checkpoints leave out the prefix.
  const stored = (name: string): string => (head === undefined ? (base.storedAs.get(name) ?? name) : name)
  const copied = base.copies.map((name) => [name, wordEmbeddings in changed ? changed[wordEmbeddings]! : params[name]!])
  const all = { ...params, ...changed, ...(Object.fromEntries(copied) as Params) }
  const read = (await engine.read(all)) as unknown as Record<string, HostArray>
  const saveAs = options.saveAs ?? base.floats
  await writeMerged(options.output, {
    from: base.folder,
    config: { ...base.config, ...head?.config },
    weights: Object.fromEntries(Object.entries(read).map(([name, array]) => [stored(name), array])),
    floats: saveAs,
    made,
  })
  const added = Object.keys(head?.tensors ?? {})
  return {
    folder: options.output,
    adapter: plugin,
    changed: [...new Set([...Object.keys(changed), ...added])].sort(),
    tensors: Object.keys(read).length,
    saveAs,
    warnings: base.notes,
  }
}

/** Runs a function with an engine, which is closed afterwards. */
async function withEngine<T>({ searchPaths, output }: MergeOptions, work: (engine: Engine) => Promise<T>): Promise<T> {
  requireNewFolder(output)
  const choice = await chooseEngine(searchPaths)
  const engine = choice.engine.plugin() as Engine
  await engine.start()
  try {
    return await work(engine)
  } finally {
    await engine.close()
  }
}

/**
 * Merges a saved adapter into a saved model and writes the result in the Hugging Face file layout. Tensors that the adapter does not
 * change, tokenizer and generation settings are those of the model. A head that only the adapter has is added. Equal to
 * `merge_and_unload` of peft, rounded to the element type of the result.
 * @throws AttuneError `FILE_EXISTS`, `BAD_ADAPTER`, `UNKNOWN_TARGET`, and the errors of the files
 */
export const mergeSavedAdapter = (options: MergeOptions): Promise<MergeReport> =>
  withEngine(options, async (engine) => {
    const opened = await openBoth(engine, options)
    const { adapter, base, params, saved, plugin } = opened
    const changed = changedWeights(engine, await adapter.adapt(base.model, params, { saved }), params)
    requireChanges({ ...changed, ...opened.head?.tensors }, plugin)
    return finish(opened, changed, options, `A saved adapter (${plugin}) merged into its base model.`)
  })

/**
 * Subtracts a saved adapter from the model that it was merged into: the inverse of {@link mergeSavedAdapter} for adapters that add an
 * update that does not depend on the weights, such as LoRA. Each changed weight differs from the original by the rounding of two
 * additions in the element type of the files. A head that the adapter replaced is not recovered: the adapter's remains.
 * @throws AttuneError `BAD_ADAPTER` if the adapter is not merged into this model, or its update depends on the weights
 */
export const unmergeSavedAdapter = (options: MergeOptions): Promise<MergeReport> =>
  withEngine(options, async (engine) => {
    const opened = await openBoth(engine, options)
    const { params, deviation } = await subtracted(opened)
    const report = await finish(opened, params, options, `A model with its adapter (${opened.plugin}) subtracted.`)
    return { ...report, deviation }
  })
