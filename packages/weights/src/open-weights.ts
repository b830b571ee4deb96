import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AttuneError } from '@attune/core'
import { ggufReader, isGguf } from './gguf/gguf-reader.js'
import { type ByteSource, memorySource } from './byte-source.js'
import { fileSource, guarded } from './file-source.js'
import { shardedReader } from './sharded-reader.js'
import { type WeightsReader, safetensorsReader } from './weights-reader.js'

const PICKLES = /\.(bin|pt|pth|ckpt|pkl)$/
/** Pickles without weights that other trainers save next to a checkpoint. */
const NO_WEIGHTS = /^(training_args|optimizer|scheduler|scaler|rng_state.*)\./
const INDEX = 'model.safetensors.index.json'

/** Python one-liner that loads pickles without executing their code and writes safetensors. */
const CONVERSION = [
  'import sys, torch, safetensors.torch as s',
  "d = {k: v.contiguous().clone() for f in sys.argv[2:] for k, v in torch.load(f, map_location='cpu', weights_only=True).items()}",
  "s.save_file(d, sys.argv[1], {'format': 'pt'})",
].join('; ')

function pickled(folder: string, files: readonly string[]): AttuneError {
  const paths = [join(folder, 'model.safetensors'), ...files.map((file) => join(folder, file))]
  return new AttuneError(
    'PICKLED_WEIGHTS',
    `${paths[1]} is a pickle, and loading one can execute arbitrary code`,
    `If you trust the file, convert it: python -c "${CONVERSION}" ${paths.map((path) => `"${path}"`).join(' ')}`,
  )
}

/** Returns the weight file of a folder. */
function weightsIn(folder: string): string {
  const names = guarded(folder, () => readdirSync(folder)).sort()
  for (const name of ['model.safetensors', INDEX]) if (names.includes(name)) return join(folder, name)
  const ggufs = names.filter((name) => name.endsWith('.gguf'))
  if (ggufs.length === 1) return join(folder, ggufs[0]!)
  if (ggufs.length > 1)
    throw new AttuneError(
      'NO_WEIGHTS_FILE',
      `expected one GGUF file in ${folder}, got ${ggufs.length}: ${ggufs.slice(0, 5).join(', ')}${ggufs.length > 5 ? ', …' : ''}`,
      `Pass one of them: ${join(folder, ggufs[0]!)}`,
    )
  const pickles = names.filter((name) => PICKLES.test(name) && !NO_WEIGHTS.test(name))
  if (pickles.length > 0) throw pickled(folder, pickles)
  throw new AttuneError(
    'NO_WEIGHTS_FILE',
    `expected weights in ${folder}, got ${names.length === 0 ? 'no files' : names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}`,
    `Pass a folder with model.safetensors, ${INDEX} or a GGUF file, or the file itself.`,
  )
}

/** Detects the format and creates its reader. */
function readerOf(source: ByteSource): WeightsReader {
  try {
    return isGguf(source) ? ggufReader(source) : safetensorsReader(source)
  } catch (error) {
    source.close()
    throw error
  }
}

/**
 * Opens a checkpoint on disk lazily: reads names, shapes and types now, and each tensor on request. Call `close` when done.
 * @param path a safetensors file, the index of a sharded checkpoint, or a GGUF file; or a folder, which is searched for
 *   `model.safetensors`, then `model.safetensors.index.json`, then a single GGUF file
 * @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE`, `NO_WEIGHTS_FILE`; `PICKLED_WEIGHTS` for PyTorch pickles, with a
 *   conversion command; `BAD_SAFETENSORS`, `BAD_WEIGHTS_INDEX`, `BAD_GGUF`, `UNSUPPORTED_QUANTIZATION` for malformed or
 *   unsupported files
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 * import { encodeSafetensors } from '@attune/weights'
 * import { openWeights } from '@attune/weights/node'
 * const file = `${tmpdir()}/example.safetensors`
 * writeFileSync(file, encodeSafetensors({ bias: { shape: [2], dtype: 'float32', values: Float32Array.of(0.5, -1) } }))
 * const reader = openWeights(file)
 * console.log([...reader.tensors.keys()], reader.read('bias').values) // [ 'bias' ] Float32Array(2) [ 0.5, -1 ]
 * ```
 */
export function openWeights(path: string): WeightsReader {
  const stat = guarded(path, () => statSync(path, { throwIfNoEntry: false }))
  const file = stat?.isDirectory() === true ? weightsIn(path) : path
  if (PICKLES.test(file)) throw pickled(dirname(file), [basename(file)])
  return file.endsWith('.json') ? shardedReader(file) : readerOf(fileSource(file))
}

/**
 * Opens the bytes of a safetensors or GGUF file in memory.
 * @param where the name in error messages
 * @throws AttuneError like {@link openWeights}
 */
export const weightsInMemory = (bytes: Uint8Array, where: string): WeightsReader => readerOf(memorySource(bytes, where))
