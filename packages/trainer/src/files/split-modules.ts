import { type HostArray, type Objective, isRecord } from '@attune/core'
import { type FloatStorage, encodeSafetensors } from '@attune/weights'

type Weights = Readonly<Record<string, HostArray>>

/** True if a name is that of a module's folder, as sentence-transformers writes it. */
export const isModulePath = (name: string): boolean => /^\d+_\w{1,80}$/.test(name)

/** Paths of the modules listed in a `modules.json` that have a folder of their own. */
export const modulePaths = (listed: unknown): readonly string[] =>
  Array.isArray(listed)
    ? listed.flatMap((each: unknown) =>
        isRecord(each) && typeof each['path'] === 'string' && isModulePath(each['path']) ? [each['path']] : [],
      )
    : []

/** Path of the folder of a module by the path of its configuration. */
const folderOf = (file: string): string => file.replace(/\/config\.json$/, '')

/**
 * Paths of the modules of a sentence-transformers model, and of the objective's other parts that are saved in a folder of their own, which have
 * a `config.json` there but are not listed in `modules.json`. Their parameters are named `PATH.name`.
 */
export const modulesOf = ({ files = {} }: Pick<Objective, 'files'>): readonly string[] => [
  ...new Set([...modulePaths(files['modules.json']), ...Object.keys(files).map(folderOf).filter(isModulePath)]),
]

/** True if a parameter belongs to a module that a saved model lists, and must therefore have. */
export const isOfModule = ({ files }: Pick<Objective, 'files'>, name: string): boolean =>
  modulePaths(files?.['modules.json']).some((path) => name.startsWith(`${path}.`))

/** Path of the weight file of a module. */
export const moduleFile = (path: string): string => `${path}/model.safetensors`

/** Separates the parameters of modules, which are saved in folders of their own: files by name, and the other parameters. */
export function splitModules(objective: Pick<Objective, 'files'>, weights: Weights, floats: FloatStorage) {
  const own = modulesOf(objective).map((path) => {
    const named = Object.entries(weights).filter(([name]) => name.startsWith(`${path}.`))
    return { path, weights: Object.fromEntries(named.map(([name, value]) => [name.slice(path.length + 1), value])) }
  })
  const saved = own.filter((each) => Object.keys(each.weights).length > 0)
  const isOwn = (name: string): boolean => saved.some(({ path }) => name.startsWith(`${path}.`))
  return {
    files: Object.fromEntries(
      saved.map((each) => [moduleFile(each.path), () => encodeSafetensors(each.weights, { format: 'pt' }, floats)]),
    ),
    others: Object.fromEntries(Object.entries(weights).filter(([name]) => !isOwn(name))),
  }
}
