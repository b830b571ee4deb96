import type { HostArray } from '@attune/core'
import type { ByteSource } from '../byte-source.js'
import { quoted } from '../safetensors-header.js'
import { readElements } from '../storage.js'
import { type StoredTensor, type WeightsReader, tensorNamed } from '../weights-reader.js'
import { architectureOf } from './architectures.js'
import { cursorOf, rejectGguf } from './cursor.js'
import { type GgufMetadata, readMetadata } from './metadata.js'
import { type GgufTensor, checkInfos, readTensorInfos, storageOf } from './tensor-infos.js'

const MAGIC = 0x46554747 // GGUF
const MAXIMUM_ALIGNMENT = 1 << 20

/** The content of a GGUF file, under GGUF names. */
interface Gguf {
  readonly metadata: GgufMetadata
  readonly tensors: ReadonlyMap<string, GgufTensor>
  /** Offset of the data section. */
  readonly start: number
}

/** True if the bytes start with the GGUF magic number. */
export function isGguf(source: ByteSource): boolean {
  if (source.size < 4) return false
  const first = new Uint8Array(4)
  source.read(first, 0)
  return new DataView(first.buffer).getUint32(0, true) === MAGIC
}

function alignmentIn(metadata: GgufMetadata, reject: (why: string) => never): number {
  const alignment = metadata.get('general.alignment') ?? 32
  if (typeof alignment !== 'number' || !(alignment > 0) || alignment > MAXIMUM_ALIGNMENT || alignment % 8 !== 0)
    return reject(`its general.alignment is not a multiple of 8 up to ${MAXIMUM_ALIGNMENT}`)
  return alignment
}

/** Reads everything except the data. @throws AttuneError `BAD_GGUF`, `UNSUPPORTED_QUANTIZATION`. */
function readGguf(source: ByteSource): Gguf {
  const at = cursorOf(source)
  at.take(4)
  const version = at.uint32()
  if (version !== 2 && version !== 3)
    at.reject(version > 0xffff ? 'it is big-endian' : `it has version ${version}; supported are 2 and 3`)
  const tensorCount = at.count()
  const metadata = readMetadata(at, at.count())
  const tensors = readTensorInfos(at, tensorCount, source.where)
  const alignment = alignmentIn(metadata, at.reject)
  const start = Math.ceil(at.position / alignment) * alignment
  checkInfos(at, tensors, alignment, Math.max(0, source.size - start))
  return { metadata, tensors, start }
}

/** A tensor under its Hugging Face name, with its location and the conversion of its values. */
interface Named extends StoredTensor {
  readonly stored: GgufTensor
  readonly arrange?: (array: HostArray) => HostArray
}

/**
 * Reads a GGUF file; tensors are dequantized on reading. For a known architecture (llama, qwen2, qwen3, gpt2, gemma to gemma3) they
 * have the names, shapes and row order of transformers checkpoints; for others, those of the file.
 * @throws AttuneError `BAD_GGUF`; `UNSUPPORTED_QUANTIZATION` for a tensor of an unsupported type
 */
export function ggufReader(source: ByteSource): WeightsReader {
  const { where } = source
  const { metadata, tensors: stored, start } = readGguf(source)
  const valuesOf = (ggufName: string, tensor: GgufTensor): HostArray => {
    const storage = storageOf(tensor.dtype)
    const count = tensor.shape.reduce((product, n) => product * n, 1)
    const reject = (why: string): never => rejectGguf(where, `tensor ${quoted(ggufName)} ${why}`)
    const values = readElements(source, storage, { position: start + tensor.offset, count }, reject)
    return { shape: tensor.shape, dtype: storage.dtype, values }
  }
  const architecture = architectureOf({
    where,
    metadata,
    tensors: stored,
    read: (ggufName) => valuesOf(ggufName, stored.get(ggufName)!),
    reject: (why) => rejectGguf(where, why),
  })
  const tensors = new Map<string, Named>()
  for (const [key, tensor] of stored) {
    if (architecture?.settings.has(key) === true) continue
    const { name, shape = tensor.shape, ...rest } = architecture?.mapTensor(key, tensor.shape) ?? { name: key }
    if (tensors.has(name)) rejectGguf(where, `it has two tensors named ${quoted(name)}`)
    tensors.set(name, { dtype: tensor.dtype, shape, stored: tensor, ...rest })
  }
  return {
    where,
    tensors,
    metadata: Object.fromEntries(metadata.values),
    ...(architecture === undefined ? {} : { config: architecture.config }),
    read(name) {
      const { stored: tensor, arrange } = tensorNamed(tensors, name, where)
      const array = valuesOf(name, tensor)
      return arrange === undefined ? array : arrange(array)
    },
    close: () => source.close(),
  }
}
