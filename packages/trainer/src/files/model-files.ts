import type { Engine, Files, HostArray, Model, Objective, Params, Tokenizer } from '@attune/core'
import { type FloatStorage, shardWeights } from '@attune/weights'

/** Parts of a model that are saved. */
export interface SavedModel {
  readonly engine: Pick<Engine, 'read'>
  readonly model: Pick<Model, 'config'>
  readonly objective: Pick<Objective, 'config'>
  readonly tokenizer: Pick<Tokenizer, 'files'>
}

/** The content of a folder by file name; a function makes the bytes when their turn comes. */
export type ModelFiles = Readonly<Record<string, string | (() => Uint8Array)>>

/** The text of a JSON file. */
export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/**
 * The files of a model in the layout of transformers: `config.json`, the weights, the tokenizer.
 * @param floats the type that floating-point weights are stored in. Default: float32
 * @param maximumBytes of a file of weights, beyond which there are several
 */
export async function modelFiles(
  { engine, model, objective, tokenizer }: SavedModel,
  params: Params,
  floats: FloatStorage = 'float32',
  maximumBytes?: number,
): Promise<ModelFiles> {
  const weights = (await engine.read(params)) as unknown as Record<string, HostArray>
  return {
    'config.json': json({ ...model.config, ...objective.config, torch_dtype: floats }),
    ...shardWeights(weights, floats, maximumBytes),
    ...Object.fromEntries(Object.entries(tokenizer.files()).map(([name, content]) => [name, json(content)])),
  }
}

/** Writes files one after the other. */
export async function writeFiles(to: Files, files: ModelFiles): Promise<void> {
  for (const [name, content] of Object.entries(files))
    await to.write(name, typeof content === 'function' ? content() : content)
}
