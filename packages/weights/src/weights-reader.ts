import { AttuneError, type HostArray, nearest, shortened } from '@attune/core'
import type { ByteSource } from './byte-source.js'
import { ELEMENT_TYPES } from './element-types.js'
import { quoted, readSafetensorsHeader, refuseSafetensors } from './safetensors-header.js'
import { readElements } from './storage.js'

/** What is known of a tensor before it is read. */
export interface StoredTensor {
  /** The type in which the file stores it: `F16`, `Q4_K`, … */
  readonly dtype: string
  readonly shape: readonly number[]
}

/** Weights in one file or several, of which each tensor is read when it is asked for. */
export interface WeightsReader {
  /** The file or folder. */
  readonly where: string
  /** By the names that the Hugging Face library gives them. */
  readonly tensors: ReadonlyMap<string, StoredTensor>
  /** What the file says of itself besides. Of a GGUF file long values are left out unless a tokenizer is made of them. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** The `config.json` that the metadata amount to, where they do: of GGUF files of a known architecture. */
  readonly config?: Readonly<Record<string, unknown>>
  /**
   * Reads one tensor: floating-point and quantised numbers as float32, whole numbers as int32.
   * @throws AttuneError `MISSING_PARAMETER` for a name that is not there; `BAD_SAFETENSORS` for numbers that do not fit
   */
  read(name: string): HostArray
  /** Closes the files; nothing can be read after it. */
  close(): void
}

/** What the map holds under the name. @throws AttuneError `MISSING_PARAMETER` with the nearest names there are. */
export function tensorNamed<T>(tensors: ReadonlyMap<string, T>, name: string, where: string): T {
  const found = tensors.get(name)
  if (found !== undefined) return found
  const near = nearest(name, tensors.keys()).map((each) => shortened(each))
  throw new AttuneError(
    'MISSING_PARAMETER',
    `${where} has no tensor ${quoted(name)} among its ${tensors.size}`,
    near.length > 0 ? `Nearest: ${near.join(', ')}.` : 'Load a checkpoint of the same architecture.',
  )
}

/** The tensors of a safetensors file. @throws AttuneError `BAD_SAFETENSORS` for anything unsound. */
export function safetensorsReader(source: ByteSource): WeightsReader {
  const { entries, metadata } = readSafetensorsHeader(source)
  return {
    where: source.where,
    tensors: entries,
    metadata,
    read(name) {
      const { dtype, shape, position } = tensorNamed(entries, name, source.where)
      const storage = ELEMENT_TYPES[dtype]!
      const count = shape.reduce((product, n) => product * n, 1)
      const refuse = (why: string): never => refuseSafetensors(source.where, `tensor ${quoted(name)} ${why}`)
      return { shape, dtype: storage.dtype, values: readElements(source, storage, { position, count }, refuse) }
    },
    close: () => source.close(),
  }
}
