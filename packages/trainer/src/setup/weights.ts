import { type Engine, type Key, type Params, deriveKey, key, mapParams } from '@attune/core'
import { deferredWeights, resizeEmbeddings } from '@attune/nn'
import type { WeightsReader } from '@attune/weights'
import { openWeights } from '@attune/weights/node'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Components } from './compose.js'
import { type LoadReport, type Match, missing, unexpected, wrongShapes } from './load-report.js'
import type { Start } from '../plan/model-start.js'

/** How a checkpoint is to be loaded. */
interface Loading {
  /** What the names of the model's own parameters begin with. */
  readonly prefix: string
  /** The parameter that holds the word embeddings; a checkpoint may have it twice. */
  readonly words?: string
  /** Whether the head must be there too. Default: it may be new, as long as the model itself is whole. */
  readonly needHead?: boolean
  /** Parameters that may be new in any case, because nothing reads what they make. */
  readonly spare: ReadonlySet<string>
  /** Load whatever has the name and shape of a parameter, and leave the rest as it is. Default: the model must be whole. */
  readonly partial?: boolean
  /** The word embeddings, where they may have fewer rows than the model, as may what else has a row for each token. */
  readonly growing?: { readonly wordEmbeddings: string; readonly key: Key }
}

/** New parameters of which only those are made that are asked for. */
export interface InitialParameters {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** Makes those of these names; to be called once. */
  make(names: readonly string[]): Params
}

const shapesOf = (
  weights: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): InitialParameters['shapes'] => Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, shape]))

const chosen = <T>(all: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, all[name]!]))

/** Parameters that are there already; those that are not asked for are let go of. */
export const existingParameters = (engine: Engine, params: Params): InitialParameters => ({
  shapes: shapesOf(params),
  make(names) {
    const others = Object.keys(params).filter((name) => !names.includes(name))
    engine.release(chosen(params, others))
    return chosen(params, names)
  },
})

/** New parameters of the model and of its head. */
function initialParameters(
  { engine, model, objective }: Pick<Components, 'engine' | 'model' | 'objective'>,
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

/** Norms in checkpoints that were converted from TensorFlow, such as the first BERT's, have the names of their Greek letters. */
const greek = (name: string): string =>
  name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta')

/** The saved tensor of a parameter: under its own name, or, from a checkpoint without a head, without the prefix. */
function savedAs(name: string, prefix: string, saved: WeightsReader['tensors']): string | undefined {
  const names = [name, ...(name.startsWith(prefix) ? [name.slice(prefix.length)] : [])]
  return [...names, ...names.map(greek)].find((alias) => saved.has(alias))
}

/** Whether a tensor has a row for each token that the checkpoint knows, and its parameter has more. */
function grows({ shape, saved }: Match, rows: number | undefined): boolean {
  const rest = (of: readonly number[]): string => String(of.slice(1))
  return saved.shape[0] === rows && shape[0]! > rows! && rest(shape) === rest(saved.shape)
}

/** What takes the place of what. @throws AttuneError `MISSING_WEIGHTS`, `SHAPE_MISMATCH` unless a part is enough. */
function match({ shapes }: InitialParameters, reader: WeightsReader, loading: Loading) {
  const { prefix, words = '', needHead = false, spare, partial = false, growing } = loading
  const matches = Object.entries(shapes).flatMap(([name, shape]): Match[] => {
    const alias = savedAs(name, prefix, reader.tensors)
    return alias === undefined ? [] : [{ name, shape, alias, saved: reader.tensors.get(alias)! }]
  })
  const found = new Set(matches.map(({ name }) => name))
  const used = new Set(matches.map(({ alias }) => alias))
  const absent = Object.keys(shapes).filter((name) => !found.has(name))
  const unused = unexpected(reader.tensors, used, shapes[words])
  const lost = partial ? [] : absent.filter((name) => !spare.has(name) && (needHead || name.startsWith(prefix)))
  if (lost.length > 0) throw missing(reader.where, lost, unused)
  const fits = ({ shape, saved }: Match): boolean => String(shape) === String(saved.shape)
  const rows = matches.find(({ name }) => name === growing?.wordEmbeddings)?.saved.shape[0]
  const grown = matches.filter((each) => grows(each, rows))
  const loaded = matches.filter((each) => fits(each) || grown.includes(each))
  const misfits = matches.filter((each) => !loaded.includes(each))
  if (misfits.length > 0 && !partial) throw wrongShapes(reader.where, misfits, absent, unused)
  const names = (of: readonly Match[]): string[] => of.map(({ name }) => name)
  const report: LoadReport = {
    fresh: absent.filter((name) => !spare.has(name)),
    unused,
    misshapen: names(misfits),
    grown: names(grown),
  }
  return { aliases: new Map(loaded.map(({ name, alias }) => [name, alias])), report }
}

/** Reads the tensors of a checkpoint one by one, and makes what it lacks. */
function replaced(engine: Engine, fresh: InitialParameters, reader: WeightsReader, loading: Loading) {
  const { aliases, report } = match(fresh, reader, loading)
  const grow = (name: string, value: Tensor, rows: number): Tensor => {
    const from = deriveKey(loading.growing!.key, name)
    return engine.compile((given: Params) => resizeEmbeddings(given, name, rows, from))({ [name]: value })[name]!
  }
  const names = Object.keys(fresh.shapes)
  const made = fresh.make(names.filter((name) => !aliases.has(name)))
  const params = Object.fromEntries(
    names.map((name) => {
      const alias = aliases.get(name)
      if (alias === undefined) return [name, made[name]!]
      const value = engine.put(reader.read(alias))
      if (!report.grown.includes(name)) return [name, value]
      const grown = grow(name, value, fresh.shapes[name]![0] as number)
      engine.release(value)
      return [name, grown]
    }),
  )
  return { params, report }
}

/**
 * Reads saved weights tensor by tensor; new ones are made where they have none. A parameter that the model shares among its parts is one
 * tensor, and the checkpoint need hold it once.
 * @param path the folder of a checkpoint (safetensors in one file or several, or GGUF), or such a file
 * @throws AttuneError `MISSING_WEIGHTS`, `SHAPE_MISMATCH`, and what `openWeights` throws
 */
export function loadWeights(
  engine: Engine,
  fresh: InitialParameters,
  path: string,
  loading: Loading,
): { readonly params: Params; readonly report: LoadReport } {
  const reader = openWeights(path)
  try {
    return replaced(engine, fresh, reader, loading)
  } finally {
    reader.close()
  }
}

/**
 * What makes a vector of a whole text, where the head reads tokens instead: checkpoints for writing, for masked words and for
 * tagging have no pooler.
 */
function sparePooler({ model, objective }: Pick<Components, 'model' | 'objective'>, fresh: InitialParameters) {
  if (JSON.stringify(objective.config).includes('SequenceClassification')) return new Set<string>()
  const prefixes = model.layers.find(({ name }) => name === 'pooler')?.prefixes ?? []
  return new Set(Object.keys(fresh.shapes).filter((name) => prefixes.some((prefix) => name.startsWith(prefix))))
}

/** The parameters a run begins with: new ones, or those of a saved model with a new head where it has none that fits. */
export function firstParameters(parts: Components, seed: number, from: Start | undefined) {
  const fresh = initialParameters(parts, seed)
  if (from === undefined) return { params: fresh.make(Object.keys(fresh.shapes)), report: undefined }
  const { prefix, wordEmbeddings: words } = parts.model
  const growing = { wordEmbeddings: words, key: deriveKey(key(seed), 'added tokens') }
  const spare = sparePooler(parts, fresh)
  const how = { prefix, words, spare, partial: from.partial, ...(from.resizeEmbeddings ? { growing } : {}) }
  return loadWeights(parts.engine, fresh, from.path, how)
}

/** The parameters of a saved model, head and all. */
export function savedParameters(
  parts: Pick<Components, 'engine' | 'model' | 'objective'>,
  folder: string,
  { needHead = true }: Pick<Loading, 'needHead'> = {},
) {
  const fresh = initialParameters(parts, 0)
  const { prefix, wordEmbeddings: words } = parts.model
  return loadWeights(parts.engine, fresh, folder, { prefix, words, needHead, spare: sparePooler(parts, fresh) })
}

/** How many numbers parameters hold. */
export const countParameters = (params: Params): number =>
  Object.values(mapParams((tensor) => tensor.size, params)).reduce((sum, size) => sum + size, 0)
