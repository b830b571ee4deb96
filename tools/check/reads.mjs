// @ts-check
/**
 * Checks that each model package declares the checkpoint types that its option `modelType` accepts. The type in a checkpoint selects an
 * installed plugin by these declarations, before any plugin is imported.
 */
import { isProgram, load, packagesIn, report } from './packages.mjs'

/** Values of an option that is an enum or a literal, with or without a default. @param {any} schema @returns {string[]} */
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
        `${each.folder}/package.json declares the types ${declared ?? 'of its own name'}, but its option modelType accepts ${admitted ?? 'no other'}`,
      )
  }
  return { problems, summary: `${models.length} model packages declare their checkpoint types` }
}

if (isProgram(import.meta.url)) report(await reads(packagesIn()))
