import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AttuneError } from '@attune/core'
import { ggufReader, isGguf } from './gguf/gguf-reader.js'
import { type ByteSource, memorySource } from './byte-source.js'
import { fileSource, guarded } from './file-source.js'
import { shardedReader } from './sharded-reader.js'
import { type WeightsReader, safetensorsReader } from './weights-reader.js'

const PICKLES = /\.(bin|pt|pth|ckpt|pkl)$/
/** Pickles that hold no weights: what trainers of other libraries leave beside them. */
const NO_WEIGHTS = /^(training_args|optimizer|scheduler|scaler|rng_state.*)\./
const INDEX = 'model.safetensors.index.json'

/** The Python line that reads pickles, without running what is in them, and writes safetensors. */
const CONVERSION = [
  'import sys, torch, safetensors.torch as s',
  "d = {k: v.contiguous().clone() for f in sys.argv[2:] for k, v in torch.load(f, map_location='cpu', weights_only=True).items()}",
  "s.save_file(d, sys.argv[1], {'format': 'pt'})",
].join('; ')

function pickled(folder: string, files: readonly string[]): AttuneError {
  const paths = [join(folder, 'model.safetensors'), ...files.map((file) => join(folder, file))]
  return new AttuneError(
    'PICKLED_WEIGHTS',
    `${paths[1]} is a pickle, and reading one can run any program that its maker put in: Attune does not`,
    `Convert it, if you trust it: python -c "${CONVERSION}" ${paths.map((path) => `"${path}"`).join(' ')}`,
  )
}

/** The one file of a folder to open. */
function weightsIn(folder: string): string {
  const names = guarded(folder, () => readdirSync(folder)).sort()
  for (const name of ['model.safetensors', INDEX]) if (names.includes(name)) return join(folder, name)
  const ggufs = names.filter((name) => name.endsWith('.gguf'))
  if (ggufs.length === 1) return join(folder, ggufs[0]!)
  if (ggufs.length > 1)
    throw new AttuneError(
      'NO_WEIGHTS_FILE',
      `${folder} has ${ggufs.length} GGUF files, and one is read: ${ggufs.slice(0, 5).join(', ')}${ggufs.length > 5 ? ', …' : ''}`,
      `Name one of them: ${join(folder, ggufs[0]!)}`,
    )
  const pickles = names.filter((name) => PICKLES.test(name) && !NO_WEIGHTS.test(name))
  if (pickles.length > 0) throw pickled(folder, pickles)
  throw new AttuneError(
    'NO_WEIGHTS_FILE',
    `${folder} holds no weights: it has ${names.length === 0 ? 'no files' : names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}`,
    `Name a folder with model.safetensors, ${INDEX} or a GGUF file in it, or the file itself.`,
  )
}

/** The weights in bytes of either format. */
function readerOf(source: ByteSource): WeightsReader {
  try {
    return isGguf(source) ? ggufReader(source) : safetensorsReader(source)
  } catch (error) {
    source.close()
    throw error
  }
}

/**
 * Opens weights that are on disk, and reads no more than names, shapes and types; each tensor is read from its place in
 * the file when it is asked for.
 * @param path a safetensors file, the index of several, or a GGUF file; or the folder of a checkpoint, in which
 *   `model.safetensors` is looked for first, then `model.safetensors.index.json`, then the one GGUF file there is
 * @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE`, `NO_WEIGHTS_FILE`; `PICKLED_WEIGHTS` for files of PyTorch's
 *   own, with the line that converts them; `BAD_SAFETENSORS`, `BAD_WEIGHTS_INDEX`, `BAD_GGUF`, `UNSUPPORTED_QUANTIZATION`
 *   for what is not sound or not known
 */
export function openWeights(path: string): WeightsReader {
  const stat = guarded(path, () => statSync(path, { throwIfNoEntry: false }))
  const file = stat?.isDirectory() === true ? weightsIn(path) : path
  if (PICKLES.test(file)) throw pickled(dirname(file), [basename(file)])
  return file.endsWith('.json') ? shardedReader(file) : readerOf(fileSource(file))
}

/**
 * Weights that are in memory, as the bytes of a safetensors or a GGUF file.
 * @param where what to call them in errors
 * @throws AttuneError as {@link openWeights}
 */
export const weightsInMemory = (bytes: Uint8Array, where: string): WeightsReader => readerOf(memorySource(bytes, where))
