import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { HostArray, Objective } from '@attune/core'
import { type FloatStorage, type WeightsReader, encodeSafetensors } from '@attune/weights'
import { openWeights } from '@attune/weights/node'
import { isModulePath, modulePaths } from './sentence-files.js'

type Weights = Readonly<Record<string, HostArray>>

/** Paths of the modules of a sentence-transformers model; their parameters are named `PATH.name`. */
const pathsOf = ({ files }: Pick<Objective, 'files'>): readonly string[] => modulePaths(files?.['modules.json'])

/** Weight files of the modules in a folder, by their paths in it. */
export const moduleWeightsIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => isModulePath(name))
    .map(fileOf)
    .filter((file) => existsSync(join(folder, file)))

/** True if a parameter belongs to a module. */
export const isOfModule = (objective: Pick<Objective, 'files'>, name: string): boolean =>
  pathsOf(objective).some((path) => name.startsWith(`${path}.`))

/** Weight files of a module. */
const FILES = ['model.safetensors', 'pytorch_model.bin']

const fileOf = (path: string): string => `${path}/model.safetensors`

/** Separates the parameters of modules, which are saved in folders of their own: files by name, and the other parameters. */
export function splitModules(objective: Pick<Objective, 'files'>, weights: Weights, floats: FloatStorage) {
  const own = pathsOf(objective).map((path) => {
    const named = Object.entries(weights).filter(([name]) => name.startsWith(`${path}.`))
    return { path, weights: Object.fromEntries(named.map(([name, value]) => [name.slice(path.length + 1), value])) }
  })
  const saved = own.filter((each) => Object.keys(each.weights).length > 0)
  const isOwn = (name: string): boolean => saved.some(({ path }) => name.startsWith(`${path}.`))
  return {
    files: Object.fromEntries(
      saved.map((each) => [fileOf(each.path), () => encodeSafetensors(each.weights, { format: 'pt' }, floats)]),
    ),
    others: Object.fromEntries(Object.entries(weights).filter(([name]) => !isOwn(name))),
  }
}

/**
 * Adds the weights of the modules of a sentence-transformers model to the reader of its folder.
 * @throws AttuneError `PICKLED_WEIGHTS` if they are only saved as a pickle, `BAD_SAFETENSORS`
 */
export function withModules(reader: WeightsReader, folder: string, objective: Pick<Objective, 'files'>): WeightsReader {
  const stored = pathsOf(objective).filter((path) => FILES.some((name) => existsSync(join(folder, path, name))))
  if (stored.length === 0) return reader
  const readers = new Map(stored.map((path) => [path, openWeights(join(folder, path))]))
  const moduleOf = (name: string): readonly [WeightsReader, string] => {
    const path = name.slice(0, name.indexOf('.'))
    const own = readers.get(path)
    return own === undefined ? [reader, name] : [own, name.slice(path.length + 1)]
  }
  const named = [...readers].flatMap(([path, { tensors }]) =>
    [...tensors].map(([name, tensor]) => [`${path}.${name}`, tensor] as const),
  )
  return {
    ...reader,
    tensors: new Map([...reader.tensors, ...named]),
    read(name) {
      const [from, own] = moduleOf(name)
      return from.read(own)
    },
    close() {
      for (const each of [reader, ...readers.values()]) each.close()
    },
  }
}
