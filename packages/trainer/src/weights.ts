import { AttuneError, type Engine, type Params, fold, key, mapParams, nearest } from '@attune/core'
import { type StoredTensor, type WeightsReader, openWeights } from '@attune/nn'
import type { Parts } from './compose.js'

/** Which of a model's parameters a checkpoint did not have, and which of its tensors the model has no use for. */
export interface LoadReport {
  readonly fresh: readonly string[]
  readonly unused: readonly string[]
}

/** Buffers that old checkpoints hold beside the weights. */
const isBuffer = (name: string): boolean => /(^|\.)position_ids$/.test(name)

/** New parameters of the model and of its head. */
const initialise = (
  { engine, model, objective }: Pick<Parts, 'engine' | 'model' | 'objective'>,
  seed: number,
): Params =>
  engine.compile(() => ({
    ...model.init(fold(key(seed), 'model')),
    ...objective.init(fold(key(seed), 'head')),
  }))()

function wrongShape(name: string, expected: readonly number[], found: readonly number[], where: string): AttuneError {
  return new AttuneError(
    'SHAPE_MISMATCH',
    `${where}: "${name}" has shape [${found.join(', ')}], and the model needs [${expected.join(', ')}]`,
    'Use the options of the saved model (leave sizes out), or the labels it was trained with.',
  )
}

/** The saved tensor of a parameter: under its own name, or, from a checkpoint without a head, without the prefix. */
const savedAs = (name: string, prefix: string, saved: ReadonlyMap<string, StoredTensor>): string | undefined =>
  [name, name.startsWith(prefix) ? name.slice(prefix.length) : name].find((alias) => saved.has(alias))

/** How a checkpoint is to be loaded. */
interface Loading {
  /** What the names of the model's own parameters begin with. */
  readonly prefix: string
  /** Whether the head must be there too; the model itself must be, in any case. */
  readonly needHead: boolean
}

/** What the model needs and the checkpoint lacks, each with the nearest name among what it has and the model does not need. */
function missing(where: string, lost: readonly string[], unused: readonly string[]): AttuneError {
  const shown = lost.slice(0, 5).map((name) => {
    const [near] = nearest(name, unused)
    return near === undefined ? name : `${name} (nearest: ${near})`
  })
  const more = lost.length > 5 ? `, and ${lost.length - 5} more` : ''
  const others = `${unused.slice(0, 5).join(', ')}${unused.length > 5 ? `, and ${unused.length - 5} more` : ''}`
  return new AttuneError(
    'MISSING_WEIGHTS',
    `${where} lacks ${lost.length} of the model's parameters: ${shown.join(', ')}${more}`,
    `Load a checkpoint of the same architecture${unused.length > 0 ? `; this one has, besides: ${others}` : ''}.`,
  )
}

/** Reads the tensors of a checkpoint one by one into the place of new ones. */
function replaced(engine: Engine, fresh: Params, reader: WeightsReader, { prefix, needHead }: Loading) {
  const aliases = Object.keys(fresh).map((name) => [name, savedAs(name, prefix, reader.tensors)] as const)
  const used = new Set(aliases.map(([, alias]) => alias))
  const unused = [...reader.tensors.keys()].filter((name) => !used.has(name) && !isBuffer(name))
  const absent = aliases.filter(([, alias]) => alias === undefined).map(([name]) => name)
  const lost = absent.filter((name) => needHead || name.startsWith(prefix))
  if (lost.length > 0) throw missing(reader.where, lost, unused)
  for (const [name, alias] of aliases) {
    const shape = alias === undefined ? undefined : reader.tensors.get(alias)!.shape
    if (shape !== undefined && String(shape) !== String(fresh[name]!.shape))
      throw wrongShape(name, fresh[name]!.shape, shape, reader.where)
  }
  const params = Object.fromEntries(
    aliases.map(([name, alias]) => {
      if (alias === undefined) return [name, fresh[name]!]
      engine.release(fresh[name]!)
      return [name, engine.put(reader.read(alias))]
    }),
  )
  return { params, report: { fresh: absent, unused } }
}

/**
 * Puts saved weights in the place of new ones, tensor by tensor. The head may be new; the model itself must be whole.
 * @param path the folder of a checkpoint (safetensors in one file or several, or GGUF), or such a file
 * @throws AttuneError `MISSING_WEIGHTS`, `SHAPE_MISMATCH`, and what `openWeights` throws
 */
export function loadWeights(
  engine: Engine,
  fresh: Params,
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

/** The parameters a run begins with: new ones, or those of a saved model with a new head where it has none that fits. */
export function firstParameters(parts: Parts, seed: number, from: string | undefined) {
  const fresh = initialise(parts, seed)
  if (from === undefined) return { params: fresh, report: undefined }
  return loadWeights(parts.engine, fresh, from, {
    prefix: parts.model.prefix,
    needHead: false,
  })
}

/** The parameters of a saved model, head and all. */
export function savedParameters(parts: Pick<Parts, 'engine' | 'model' | 'objective'>, folder: string): Params {
  const fresh = initialise(parts, 0)
  const where = { prefix: parts.model.prefix, needHead: true }
  return loadWeights(parts.engine, fresh, folder, where).params
}

/** How many numbers parameters hold. */
export const countParameters = (params: Params): number =>
  Object.values(mapParams((tensor) => tensor.size, params)).reduce((sum, size) => sum + size, 0)
