// @ts-check
/**
 * That the package of a model declares the types of checkpoints that its option `modelType` admits: a type in a file chooses among
 * installed plugins by what their packages declare, before any of them is imported.
 */
import { isProgram, load, packagesIn, report } from './packages.mjs'

/** The values of an option that is an enum or a literal, with or without a default. @param {any} schema @returns {string[]} */
const valuesOf = (schema) =>
  schema.unwrap === undefined ? [...(schema.options ?? schema.values)] : valuesOf(schema.unwrap())

/** @param {import('./packages.mjs').Package[]} packages */
export async function reads(packages) {
  const models = packages.filter(({ manifest }) => manifest.attune?.kind === 'model')
  const problems = []
  for (const each of models) {
    const { modelType } = (await load(each)).default.options.shape
    const admitted = modelType === undefined ? undefined : valuesOf(modelType)
    const declared = each.manifest.attune.reads
    if (String(admitted) !== String(declared))
      problems.push(
        `${each.folder}/package.json declares that it reads ${declared ?? 'its own name'}, and its option modelType admits ${admitted ?? 'nothing else'}`,
      )
  }
  return { problems, summary: `${models.length} model packages declare the types that they read` }
}

if (isProgram(import.meta.url)) report(await reads(packagesIn()))
