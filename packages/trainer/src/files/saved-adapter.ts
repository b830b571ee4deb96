import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Adapted, AttuneError, type Engine, type HostArray, type Params, type SavedAdapter } from '@attune/core'
import { type FolderContent, readJsonObject, writeFolderAtomically } from '@attune/files'
import { encodeSafetensors } from '@attune/weights'
import { openWeights } from '@attune/weights/node'

/** Folder of an adapter inside the folder of its base model, or of its run. */
export const ADAPTER_FOLDER = 'adapter'

const [CONFIG, WEIGHTS] = ['adapter_config.json', 'adapter_model.safetensors']

/** Size limit of an adapter's configuration, which lists the adapted layers. */
const MAXIMUM_BYTES = 10_000_000

/** Maximum ratio of an adapter's parameters to its model's; larger files are rejected. */
const MAXIMUM_SHARE = 4
const MAXIMUM_TENSORS = 100_000

function refuse(folder: string, why: string): AttuneError {
  return new AttuneError(
    'BAD_ADAPTER',
    `the saved adapter in ${folder} ${why}`,
    'Use a folder with adapter_config.json and adapter_model.safetensors, as saved by PEFT or Attune.',
  )
}

/** Folder of the saved adapter that a saved model is the base of; undefined if there is none. */
export function adapterOf(model: string): string | undefined {
  const folder = join(model, ADAPTER_FOLDER)
  return existsSync(join(folder, CONFIG)) ? folder : undefined
}

/** Folder of a saved adapter: that of a run, also beside its model, or the given one. */
export const adapterFolderOf = (directory: string): string =>
  adapterOf(directory) ?? adapterOf(join(directory, 'model')) ?? directory

/** Reads the configuration of a saved adapter. @throws AttuneError `FILE_NOT_FOUND`, `BAD_ADAPTER` */
export function adapterConfig(folder: string): SavedAdapter['config'] {
  const file = join(folder, CONFIG)
  const config = readJsonObject(file, MAXIMUM_BYTES, (why) => refuse(folder, `has an unusable ${CONFIG}: ${why}`))
  if (config !== undefined) return config
  throw new AttuneError(
    'FILE_NOT_FOUND',
    `expected ${CONFIG} in ${folder}, got none`,
    'Use a folder with adapter_config.json and adapter_model.safetensors, as saved by PEFT or Attune.',
  )
}

/**
 * Reads a saved adapter onto the device.
 * @param modelSize number of parameters of the model, which bounds the adapter's
 * @throws AttuneError `FILE_NOT_FOUND`, `BAD_ADAPTER`, `BAD_SAFETENSORS`; `PICKLED_WEIGHTS` for an adapter in PyTorch's format
 */
export function readAdapter(engine: Engine, folder: string, modelSize: number): SavedAdapter {
  const config = adapterConfig(folder)
  const pickle = join(folder, 'adapter_model.bin')
  const file = join(folder, WEIGHTS)
  const reader = openWeights(!existsSync(file) && existsSync(pickle) ? pickle : file)
  try {
    const sizes = [...reader.tensors.values()].map(({ shape }) => shape.reduce((product, n) => product * n, 1))
    const total = sizes.reduce((sum, size) => sum + size, 0)
    if (total > MAXIMUM_SHARE * modelSize || sizes.length > MAXIMUM_TENSORS)
      throw refuse(
        folder,
        `is too large for its model: got ${total} values in ${sizes.length} tensors for a model of ${modelSize} values`,
      )
    const tensors = [...reader.tensors.keys()].map((name) => [name, engine.put(reader.read(name))] as const)
    return { config, tensors: Object.fromEntries(tensors) }
  } finally {
    reader.close()
  }
}

/** Members of an adapter that can be saved separately. */
export type Saveable = Required<Pick<Adapted, 'config' | 'tensors' | 'frozen'>>

/** @throws AttuneError `NO_ADAPTER_FILES` for an adapter that cannot be saved separately */
export function requireSaveable(adapted: Adapted, name: string): Saveable {
  const { config, tensors, frozen } = adapted
  if (config !== undefined && tensors !== undefined) return { config, tensors, frozen }
  throw new AttuneError(
    'NO_ADAPTER_FILES',
    `saveAdapter: adapter ${name} cannot be saved separately, since it trains the model's own parameters`,
    'Remove saveAdapter; the trained model is saved in any case.',
  )
}

/**
 * Returns the files of an adapter in the PEFT layout.
 * @param base path of its base model, if that is a saved model
 */
export async function adapterFiles(
  engine: Pick<Engine, 'compile' | 'read' | 'release'>,
  { config, tensors, frozen }: Saveable,
  trainable: Params,
  base: string | undefined,
): Promise<FolderContent> {
  const named = engine.compile(tensors)
  const made = named(trainable) as Params
  named.dispose()
  const weights = (await engine.read(made)) as unknown as Record<string, HostArray>
  const own = new Set([trainable, frozen].flatMap((each) => Object.values(each)))
  engine.release(Object.fromEntries(Object.entries(made).filter(([, tensor]) => !own.has(tensor))))
  return {
    [CONFIG]: `${JSON.stringify({ base_model_name_or_path: base ?? null, ...config }, null, 2)}\n`,
    [WEIGHTS]: encodeSafetensors(weights, { format: 'pt' }),
  }
}

/**
 * Writes an adapter in the PEFT layout.
 * @param base path of its base model, if that is a saved model
 */
export async function saveAdapter(
  engine: Engine,
  saveable: Saveable,
  trainable: Params,
  { folder, base }: { readonly folder: string; readonly base: string | undefined },
): Promise<void> {
  await writeFolderAtomically(folder, await adapterFiles(engine, saveable, trainable, base))
}
