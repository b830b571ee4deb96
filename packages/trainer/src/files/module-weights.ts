import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Objective } from '@attune/core'
import type { WeightsReader } from '@attune/weights'
import { openWeights } from '@attune/weights/node'
import { isModulePath, moduleFile, modulesOf } from './split-modules.js'

/** Weight files of the modules in a folder, by their paths in it. */
export const moduleWeightsIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => isModulePath(name))
    .map(moduleFile)
    .filter((file) => existsSync(join(folder, file)))

/** Weight files of a module. */
const FILES = ['model.safetensors', 'pytorch_model.bin']

/**
 * Adds the weights of the modules of a sentence-transformers model to the reader of its folder.
 * @throws AttuneError `PICKLED_WEIGHTS` if they are only saved as a pickle, `BAD_SAFETENSORS`
 */
export function withModules(reader: WeightsReader, folder: string, objective: Pick<Objective, 'files'>): WeightsReader {
  const stored = modulesOf(objective).filter((path) => FILES.some((name) => existsSync(join(folder, path, name))))
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
