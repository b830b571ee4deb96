import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Engine, type Key, type Objective, type Params, deriveKey, key, mapParams } from '@attune/core'
import { deferredWeights, lazyTensors, resizeEmbeddings } from '@attune/nn'
import type { StoredTensor, WeightsReader } from '@attune/weights'
import { openWeights } from '@attune/weights/node'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Components } from './compose.js'
import { type LoadReport, type Match, missingWeights, unusedTensors, mismatchedShapes } from './load-report.js'
import { describeModel } from '../files/model-folder.js'
import { withModules } from '../files/module-weights.js'
import { isOfModule } from '../files/split-modules.js'
import { type SavedHead, requireEveryLabel, savedHead } from './label-rows.js'
import { predictsTokens, sharedEmbeddings } from './shared-embeddings.js'
import { matchRows, rowsFrom } from './saved-rows.js'
import { type LayerMap, nameInSaved } from '../plan/layer-surgery.js'
import type { PretrainedStart } from '../plan/model-start.js'

/** Options for loading a checkpoint. */
interface Loading {
  /** The objective, which may have modules whose weights are in folders of their own. Default: none. */
  readonly objective?: Pick<Components['objective'], 'files'>
  /** Name prefix of the model's parameters without the head. */
  readonly prefix: string
  /** Name of the word embeddings, which a checkpoint may store twice. */
  readonly words?: string
  /** True if the checkpoint must contain the head. Default: false, a missing head is newly initialized. */
  readonly needHead?: boolean
  /** Parameters that may be missing in any case, because their output is unused. */
  readonly optional: ReadonlySet<string>
  /** True to load only tensors with matching name and shape. Default: false, the model must be complete. */
  readonly partial?: boolean
  /** Set if the word embeddings, and other parameters with one row per token, may have fewer rows than the model. */
  readonly resizing?: { readonly wordEmbeddings: string; readonly key: Key }
  /** The saved classification head, whose rows are matched by label. Default: all rows in the saved order. */
  readonly head?: SavedHead | undefined
  /** Origin of layers that differ from those of the checkpoint. */
  readonly layers?: LayerMap | undefined
  /** True to read a tensor when it is first used, so that weights that an adapter replaces are never all in memory. Default: false. */
  readonly lazy?: boolean
  /** True if the head predicts tokens with the word embeddings. Default: false. */
  readonly predictsTokens?: boolean
}

/** Lazily created initial parameters. */
export interface InitialParameters {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** Creates the named parameters. Call it once. */
  make(names: readonly string[]): Params
}

const shapesOf = (
  weights: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): InitialParameters['shapes'] => Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, shape]))

const chosen = <T>(all: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, all[name]!]))

/** Wraps existing parameters; those that are not requested are released. */
export const existingParameters = (engine: Engine, params: Params): InitialParameters => ({
  shapes: shapesOf(params),
  make(names) {
    const others = Object.keys(params).filter((name) => !names.includes(name))
    engine.release(chosen(params, others))
    return chosen(params, names)
  },
})

/** Initial parameters of the model and its head. */
export function initialParameters(
  { engine, model, objective }: Pick<Components, 'engine' | 'model'> & { readonly objective: Pick<Objective, 'init'> },
  seed: number,
): InitialParameters {
  const init = (): Params => ({
    ...model.init(deriveKey(key(seed), 'model')),
    ...objective.init(deriveKey(key(seed), 'head')),
  })
  const deferred = deferredWeights(init)
  if (deferred === undefined) return existingParameters(engine, engine.compile(init)())
  return {
    shapes: shapesOf(deferred),
    make(names) {
      if (names.length === 0) return {}
      const made = engine.compile(() => mapParams(({ make }) => make(), chosen(deferred, names)))
      return made()
    },
  }
}

/** Name of a norm's parameter in checkpoints converted from TensorFlow, such as the original BERT (gamma, beta). */
const tensorflowName = (name: string): string =>
  name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta')

/** Finds the saved tensor of a parameter: under its own name, or without the prefix in a headless checkpoint. */
export function savedName(name: string, prefix: string, saved: WeightsReader['tensors']): string | undefined {
  const names = [name, ...(name.startsWith(prefix) ? [name.slice(prefix.length)] : [])]
  return [...names, ...names.map(tensorflowName)].find((alias) => saved.has(alias))
}

/** True if a tensor has one row per token of the checkpoint, and its parameter has more rows. */
function isExtended({ shape, saved }: Match, rows: number | undefined): boolean {
  const rest = (of: readonly number[]): string => String(of.slice(1))
  return saved.shape[0] === rows && shape[0]! > rows! && rest(shape) === rest(saved.shape)
}

/**
 * Finds the saved tensor of a parameter of a moved layer. A parameter that only one layer of a stack has, as the relative position
 * biases of T5, keeps its own name.
 */
const aliasOf = (name: string, source: string | undefined, prefix: string, saved: WeightsReader['tensors']) =>
  source === undefined ? undefined : (savedName(source, prefix, saved) ?? savedName(name, prefix, saved))

/** True for a tensor of a layer that is left out or initialized at random. */
const isLeftOut = ({ layers, prefix }: Loading, name: string): boolean =>
  layers?.unused.some((each) => name.startsWith(each) || `${prefix}${name}`.startsWith(each)) === true

/** Matches parameters with saved tensors. @throws AttuneError `MISSING_WEIGHTS`, `SHAPE_MISMATCH` unless loading is partial */
function match({ shapes }: InitialParameters, reader: WeightsReader, loading: Loading) {
  const { prefix, words = '', needHead = false, optional, partial = false, resizing, head } = loading
  const sources = new Map(Object.keys(shapes).map((name) => [name, nameInSaved(loading.layers, prefix, name)]))
  const isReset = (name: string): boolean => sources.get(name) === undefined
  const named = [...sources].map(([name, source]) => [name, aliasOf(name, source, prefix, reader.tensors)] as const)
  const stored = new Map(named.flatMap(([name, alias]) => (alias === undefined ? [] : [[name, alias] as const])))
  const taken = new Set(stored.values())
  const shared = sharedEmbeddings(reader, taken, stored.get(words), shapes[words], loading.predictsTokens === true)
  const matches = Object.entries(shapes).flatMap(([name, shape]): Match[] => {
    const alias = stored.get(name) ?? (name === words && !isReset(name) ? shared.other : undefined)
    return alias === undefined ? [] : [{ name, shape, alias, saved: reader.tensors.get(alias)! }]
  })
  const found = new Set(matches.map(({ name }) => name))
  const used = new Set(matches.map(({ alias }) => alias))
  const absent = Object.keys(shapes).filter((name) => !found.has(name) && !isReset(name))
  const unused = unusedTensors(reader.tensors, used, shapes[words]).filter((name) => !isLeftOut(loading, name))
  const isNeeded = (name: string): boolean =>
    needHead || name.startsWith(prefix) || isOfModule(loading.objective ?? {}, name)
  const lost = partial ? [] : absent.filter((name) => !optional.has(name) && isNeeded(name))
  if (lost.length > 0) throw missingWeights(reader.where, lost, unused)
  const { rows: selected, dropped, notes: ofHead } = matchRows(matches, head)
  const notes = [...shared.notes, ...ofHead]
  const fits = ({ name, shape, saved }: Match): boolean => selected.has(name) || String(shape) === String(saved.shape)
  const rows = matches.find(({ name }) => name === resizing?.wordEmbeddings)?.saved.shape[0]
  const grown = matches.filter((each) => isExtended(each, rows))
  const kept = matches.filter(({ name }) => !dropped.has(name))
  const loaded = kept.filter((each) => fits(each) || grown.includes(each))
  const misfits = kept.filter((each) => !loaded.includes(each))
  if (misfits.length > 0 && !partial) throw mismatchedShapes(reader.where, misfits, absent, unused)
  const names = (of: readonly Match[]): string[] => of.map(({ name }) => name)
  const report: LoadReport = {
    fresh: absent.filter((name) => !optional.has(name)),
    unused,
    misshapen: names(misfits),
    grown: names(grown),
    ...(grown.length > 0 && rows !== undefined ? { savedRows: rows } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  }
  return { aliases: new Map(loaded.map(({ name, alias }) => [name, alias])), selected, report }
}

/** Types that are read as float32. */
const isFloat = ({ dtype }: StoredTensor): boolean => /^(B?F|Q)\d/.test(dtype)

/** Lazy tensors of those parameters that are read as they are stored; the reader is closed after the last of them. */
function readLazily(reader: WeightsReader, names: readonly (readonly [name: string, alias: string])[]): Params {
  const stored = names.map(([name, alias]) => {
    const { shape } = reader.tensors.get(alias)!
    return [name, { shape, read: () => reader.read(alias).values as Float32Array }] as const
  })
  return lazyTensors(Object.fromEntries(stored), () => reader.close())
}

/** Reads the tensors of a checkpoint one by one, and initializes missing parameters. The reader is closed once it is no longer needed. */
function readWeights(engine: Engine, fresh: InitialParameters, reader: WeightsReader, loading: Loading) {
  const { aliases, selected, report } = match(fresh, reader, loading)
  const grow = (name: string, value: Tensor, rows: number): Tensor => {
    const from = deriveKey(loading.resizing!.key, name)
    return engine.compile((given: Params) => resizeEmbeddings(given, name, rows, from))({ [name]: value })[name]!
  }
  const names = Object.keys(fresh.shapes)
  const made = fresh.make(names.filter((name) => !aliases.has(name) || selected.get(name)?.includes(-1)))
  const isLazy = (name: string, alias: string): boolean =>
    loading.lazy === true && !selected.has(name) && !report.grown.includes(name) && isFloat(reader.tensors.get(alias)!)
  const read = (name: string): Tensor | undefined => {
    const alias = aliases.get(name)
    if (alias === undefined) return made[name]!
    if (isLazy(name, alias)) return undefined
    const rows = selected.get(name)
    if (rows !== undefined) return rowsFrom(engine, reader.read(alias), rows, made[name])
    const value = engine.put(reader.read(alias))
    if (!report.grown.includes(name)) return value
    const grown = grow(name, value, fresh.shapes[name]![0] as number)
    engine.release(value)
    return grown
  }
  const now = names.map((name) => [name, read(name)] as const)
  const later = now.flatMap(([name, value]) => (value === undefined ? [[name, aliases.get(name)!] as const] : []))
  const lazy = readLazily(reader, later)
  return { params: Object.fromEntries(now.map(([name, value]) => [name, value ?? lazy[name]!])), report }
}

/**
 * Loads saved weights tensor by tensor; missing parameters are initialized. A parameter shared within the model (tied weights) is one tensor
 * and may be stored once.
 * @param path folder of a checkpoint (safetensors, single or sharded, or GGUF), or such a file
 * @throws AttuneError `MISSING_WEIGHTS`, `SHAPE_MISMATCH`, and the errors of `openWeights`
 */
export function loadWeights(
  engine: Engine,
  fresh: InitialParameters,
  path: string,
  loading: Loading,
): { readonly params: Params; readonly report: LoadReport } {
  let reader = openWeights(path)
  try {
    reader = withModules(reader, path, loading.objective ?? {})
    return readWeights(engine, fresh, reader, loading)
  } catch (error) {
    reader.close()
    throw error
  }
}

/**
 * Parameters of a pooler that is unused, because the head reads token states. Checkpoints for generation, masked language modeling and
 * token classification have no pooler.
 */
function unusedPooler({ model, objective }: Pick<Components, 'model' | 'objective'>, fresh: InitialParameters) {
  if (JSON.stringify(objective.config).includes('SequenceClassification')) return new Set<string>()
  const prefixes = model.layers.find(({ name }) => name === 'pooler')?.prefixes ?? []
  return new Set(Object.keys(fresh.shapes).filter((name) => prefixes.some((prefix) => name.startsWith(prefix))))
}

/** Configuration of a saved model; empty for a checkpoint without one. */
function savedConfig(path: string): Readonly<Record<string, unknown>> {
  const folder = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path
  return existsSync(join(folder, 'config.json')) ? describeModel(folder).config : {}
}

/**
 * Initial parameters of a run: new ones, or those of a saved model, with a new head if it has none that fits.
 * @param areGiven true if the configuration lists the labels of a classifier; false if they are learned
 */
export function firstParameters(
  components: Components,
  seed: number,
  from: PretrainedStart | undefined,
  areGiven = false,
) {
  const fresh = initialParameters(components, seed)
  if (from === undefined) return { params: fresh.make(Object.keys(fresh.shapes)), report: undefined }
  const { prefix, wordEmbeddings: words } = components.model
  const resizing = { wordEmbeddings: words, key: deriveKey(key(seed), 'added tokens') }
  const optional = unusedPooler(components, fresh)
  const head = savedHead(components, savedConfig(from.path), from.path, areGiven)
  const { objective } = components
  const common = { objective, prefix, words, optional, head, predictsTokens: predictsTokens(components) }
  const how = {
    ...common,
    lazy: true,
    layers: from.layerMap,
    partial: from.partial,
    ...(from.resizeEmbeddings ? { resizing } : {}),
  }
  return loadWeights(components.engine, fresh, from.path, how)
}

/** Loads the parameters of a saved model, including its head, which must have every label of the objective. */
export function savedParameters(
  components: Pick<Components, 'engine' | 'model' | 'objective'>,
  folder: string,
  { needHead = true }: Pick<Loading, 'needHead'> = {},
) {
  const fresh = initialParameters(components, 0)
  const { prefix, wordEmbeddings: words } = components.model
  const head = savedHead(components, savedConfig(folder), folder, true)
  return loadWeights(components.engine, fresh, folder, {
    objective: components.objective,
    prefix,
    head: head && requireEveryLabel(head, folder),
    words,
    predictsTokens: predictsTokens(components),
    needHead,
    optional: unusedPooler(components, fresh),
  })
}

/** Number of scalar values in parameters. */
export const countParameters = (params: Params): number =>
  Object.values(mapParams((tensor) => tensor.size, params)).reduce((sum, size) => sum + size, 0)
