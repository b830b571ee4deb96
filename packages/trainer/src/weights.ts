import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Engine, type HostArray, type Params, fold, key, mapParams, nearest } from '@attune/core'
import { decodeSafetensors } from '@attune/nn'
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
const savedAs = (name: string, prefix: string, saved: Readonly<Record<string, HostArray>>): string | undefined =>
  [name, name.startsWith(prefix) ? name.slice(prefix.length) : name].find((alias) => Object.hasOwn(saved, alias))

/**
 * Puts saved weights in the place of new ones. The head may be new; the model itself must be whole.
 * @throws AttuneError `MISSING_WEIGHTS`, `SHAPE_MISMATCH`, `BAD_SAFETENSORS`.
 */
export function loadWeights(
  engine: Engine,
  fresh: Params,
  file: string,
  { prefix, needHead }: { readonly prefix: string; readonly needHead: boolean },
): { readonly params: Params; readonly report: LoadReport } {
  const { tensors } = decodeSafetensors(readFileSync(file), file)
  const used = new Set<string>()
  const absent: string[] = []
  const params = Object.fromEntries(
    Object.entries(fresh).map(([name, tensor]) => {
      const alias = savedAs(name, prefix, tensors)
      if (alias === undefined) {
        absent.push(name)
        return [name, tensor]
      }
      const value = tensors[alias] as HostArray
      if (String(value.shape) !== String(tensor.shape)) throw wrongShape(name, tensor.shape, value.shape, file)
      used.add(alias)
      engine.release(tensor)
      return [name, engine.put(value)]
    }),
  )
  const unused = Object.keys(tensors).filter((name) => !used.has(name) && !isBuffer(name))
  const lost = absent.filter((name) => needHead || name.startsWith(prefix))
  if (lost.length === 0) return { params, report: { fresh: absent, unused } }
  const near = nearest(lost[0] as string, unused)
  throw new AttuneError(
    'MISSING_WEIGHTS',
    `${file} lacks ${lost.length} of the model's parameters: ${lost.slice(0, 5).join(', ')}${lost.length > 5 ? ', …' : ''}`,
    near.length > 0 ? `Nearest among what it has: ${near.join(', ')}.` : 'Load a checkpoint of the same architecture.',
  )
}

/** The parameters a run begins with: new ones, or those of a saved model with a new head where it has none that fits. */
export function firstParameters(parts: Parts, seed: number, from: string | undefined) {
  const fresh = initialise(parts, seed)
  if (from === undefined) return { params: fresh, report: undefined }
  return loadWeights(parts.engine, fresh, join(from, 'model.safetensors'), {
    prefix: parts.model.prefix,
    needHead: false,
  })
}

/** The parameters of a saved model, head and all. */
export function savedParameters(parts: Pick<Parts, 'engine' | 'model' | 'objective'>, folder: string): Params {
  const fresh = initialise(parts, 0)
  const where = { prefix: parts.model.prefix, needHead: true }
  return loadWeights(parts.engine, fresh, join(folder, 'model.safetensors'), where).params
}

/** How many numbers parameters hold. */
export const countParameters = (params: Params): number =>
  Object.values(mapParams((tensor) => tensor.size, params)).reduce((sum, size) => sum + size, 0)
