import type { Engine, Files, HostArray, Model, Objective, Params, Tokenizer } from '@attune/core'
import { type FloatStorage, shardWeights } from '@attune/weights'
import { splitModules } from './split-modules.js'

/** Components of a model to save. */
export interface SavedModel {
  readonly engine: Pick<Engine, 'read'>
  readonly model: Pick<Model, 'config'>
  readonly objective: Pick<Objective, 'config' | 'files'>
  readonly tokenizer: Pick<Tokenizer, 'files'>
}

/** Content of a folder by file name; a function produces its bytes lazily. */
export type ModelFiles = Readonly<Record<string, string | (() => Uint8Array)>>

/** Formats a JSON file. */
export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/**
 * Returns the files of a model in the transformers layout: `config.json`, weights, tokenizer.
 * @param floats type of the stored floating-point weights. Default: float32
 * @param maximumBytes maximum size of a weight file; larger models are sharded
 */
export async function modelFiles(
  { engine, model, objective, tokenizer }: SavedModel,
  params: Params,
  floats: FloatStorage = 'float32',
  maximumBytes?: number,
): Promise<ModelFiles> {
  const weights = (await engine.read(params)) as unknown as Record<string, HostArray>
  const { files: ofModules, others } = splitModules(objective, weights, floats)
  return {
    'config.json': json({ ...model.config, ...objective.config, torch_dtype: floats }),
    ...shardWeights(others, floats, maximumBytes),
    ...ofModules,
    ...Object.fromEntries(Object.entries(objective.files ?? {}).map(([path, content]) => [path, json(content)])),
    ...Object.fromEntries(Object.entries(tokenizer.files()).map(([name, content]) => [name, json(content)])),
  }
}

/** Writes files one at a time. */
export async function writeFiles(to: Files, files: ModelFiles): Promise<void> {
  for (const [name, content] of Object.entries(files))
    await to.write(name, typeof content === 'function' ? content() : content)
}
