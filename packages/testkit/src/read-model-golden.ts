import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AnyPlugin } from '@attune/core'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import type { ModelGolden } from './describe-model-golden.js'

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

/**
 * A case as tools/golden/model_parity.py writes it into a folder: weights, inputs and what another library computed, with the
 * options of the model that it was computed with.
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

/** All cases in the folders of a folder, by the names of the folders. */
export const readModelGoldens = (
  plugin: AnyPlugin,
  folder: string,
): Readonly<Record<string, ReturnType<typeof readCase>>> =>
  Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => [name, readCase(plugin, join(folder, name))]),
  )
