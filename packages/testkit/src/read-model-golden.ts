import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AnyPlugin } from '@attune/core'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import type { ModelGolden } from './describe-model-golden.js'

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

/**
 * Reads a golden case from a folder written by tools/golden/model_parity.py: weights, inputs, outputs of another library, and the
 * options of the model.
 */
function readCase(plugin: AnyPlugin, folder: string): ModelGolden & { readonly options: Record<string, unknown> } {
  const weights = join(folder, 'model.safetensors')
  const { source, cases } = json(join(folder, 'golden.json')) as Pick<ModelGolden, 'source' | 'cases'>
  const options = optionsFromConfig(plugin.options, json(join(folder, 'config.json')) as Record<string, unknown>)
  const { tensors } = decodeSafetensors(readFileSync(weights), weights)
  return {
    source: `${source}, ${folder}`,
    options,
    weights: tensors,
    cases: cases.map((each) => ({ ...each, options })),
  }
}

/** Reads the golden cases in the subfolders of a folder, by name. */
export const readModelGoldens = (
  plugin: AnyPlugin,
  folder: string,
): Readonly<Record<string, ReturnType<typeof readCase>>> =>
  Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => [name, readCase(plugin, join(folder, name))]),
  )
