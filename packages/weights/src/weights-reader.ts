import { AttuneError, type HostArray, nearest, shortened } from '@attune/core'
import type { ByteSource } from './byte-source.js'
import { ELEMENT_TYPES } from './element-types.js'
import { quoted, readSafetensorsHeader, rejectSafetensors } from './safetensors-header.js'
import { readElements } from './storage.js'

/** The type and shape of a stored tensor, known before it is read. */
export interface StoredTensor {
  /** The storage type: `F16`, `Q4_K`, … */
  readonly dtype: string
  readonly shape: readonly number[]
}

/** A lazy reader of a checkpoint in one or several files. */
export interface WeightsReader {
  /** The path of the file or folder. */
  readonly where: string
  /** The tensors, by Hugging Face name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>
  /** The metadata of the file. Oversized values of a GGUF file are left out, except tokenizer data. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** The equivalent `config.json`, for GGUF files of a known architecture. */
  readonly config?: Readonly<Record<string, unknown>>
  /**
   * Reads one tensor: floating-point and quantized types as float32, integers as int32.
   * @throws AttuneError `MISSING_PARAMETER` for an unknown name; `BAD_SAFETENSORS` for values that do not fit
   */
  read(name: string): HostArray
  /** Closes the files; nothing can be read afterwards. */
  close(): void
}

/** Returns the entry of a tensor. @throws AttuneError `MISSING_PARAMETER` with the nearest existing names. */
export function tensorNamed<T>(tensors: ReadonlyMap<string, T>, name: string, where: string): T {
  const found = tensors.get(name)
  if (found !== undefined) return found
  const near = nearest(name, tensors.keys()).map((each) => shortened(each))
  throw new AttuneError(
    'MISSING_PARAMETER',
    `${where} has no tensor ${quoted(name)} among its ${tensors.size} tensors`,
    near.length > 0
      ? `Use one of the nearest names: ${near.join(', ')}.`
      : 'Load a checkpoint of the same architecture.',
  )
}

/** Creates the reader of a safetensors file. @throws AttuneError `BAD_SAFETENSORS` for a malformed file. */
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
      const reject = (why: string): never => rejectSafetensors(source.where, `tensor ${quoted(name)} ${why}`)
      return { shape, dtype: storage.dtype, values: readElements(source, storage, { position, count }, reject) }
    },
    close: () => source.close(),
  }
}
