import type { HostArray } from '@attune/core'
import type { ByteSource } from '../byte-source.js'
import { quoted } from '../safetensors-header.js'
import { readElements } from '../storage.js'
import { type StoredTensor, type WeightsReader, tensorNamed } from '../weights-reader.js'
import { architectureOf } from './architectures.js'
import { cursorOf, refuseGguf } from './cursor.js'
import { type GgufMetadata, readMetadata } from './metadata.js'
import { type GgufTensor, checkInfos, readTensorInfos, storageOf } from './tensor-infos.js'

const MAGIC = 0x46554747 // GGUF
const GREATEST_ALIGNMENT = 1 << 20

/** The content of a GGUF file under its own names. */
interface Gguf {
  readonly metadata: GgufMetadata
  readonly tensors: ReadonlyMap<string, GgufTensor>
  /** Where the data begin. */
  readonly start: number
}

/** Whether bytes begin as a GGUF file does. */
export function isGguf(source: ByteSource): boolean {
  if (source.size < 4) return false
  const first = new Uint8Array(4)
  source.read(first, 0)
  return new DataView(first.buffer).getUint32(0, true) === MAGIC
}

function alignmentIn(metadata: GgufMetadata, refuse: (why: string) => never): number {
  const alignment = metadata.get('general.alignment') ?? 32
  if (typeof alignment !== 'number' || !(alignment > 0) || alignment > GREATEST_ALIGNMENT || alignment % 8 !== 0)
    return refuse('its general.alignment is no multiple of 8 that is sound')
  return alignment
}

/** Reads all but the data. @throws AttuneError `BAD_GGUF`, `UNSUPPORTED_QUANTIZATION`. */
function readGguf(source: ByteSource): Gguf {
  const at = cursorOf(source)
  at.take(4)
  const version = at.uint32()
  if (version !== 2 && version !== 3)
    at.refuse(
      version > 0xffff ? 'its numbers have the big end first' : `it is of version ${version}; 2 and 3 can be read`,
    )
  const tensorCount = at.count()
  const metadata = readMetadata(at, at.count())
  const tensors = readTensorInfos(at, tensorCount, source.where)
  const alignment = alignmentIn(metadata, at.refuse)
  const start = Math.ceil(at.position / alignment) * alignment
  checkInfos(at, tensors, alignment, Math.max(0, source.size - start))
  return { metadata, tensors, start }
}

/** A tensor under its Hugging Face name: where it lies, and what is done to its numbers. */
interface Named extends StoredTensor {
  readonly stored: GgufTensor
  readonly arrange?: (array: HostArray) => HostArray
}

/**
 * The tensors of a GGUF file, dequantised as they are read. Those of a known architecture (llama, qwen2, qwen3, gpt2, gemma to gemma3) have
 * the names, shapes and order of rows that the Hugging Face library's checkpoints have; of another, their own.
 * @throws AttuneError `BAD_GGUF`; `UNSUPPORTED_QUANTIZATION` if a tensor is of a type that is not read
 */
export function ggufReader(source: ByteSource): WeightsReader {
  const { where } = source
  const { metadata, tensors: stored, start } = readGguf(source)
  const valuesOf = (own: string, tensor: GgufTensor): HostArray => {
    const storage = storageOf(tensor.dtype)
    const count = tensor.shape.reduce((product, n) => product * n, 1)
    const refuse = (why: string): never => refuseGguf(where, `tensor ${quoted(own)} ${why}`)
    const values = readElements(source, storage, { position: start + tensor.offset, count }, refuse)
    return { shape: tensor.shape, dtype: storage.dtype, values }
  }
  const architecture = architectureOf({
    where,
    metadata,
    tensors: stored,
    read: (own) => valuesOf(own, stored.get(own)!),
    refuse: (why) => refuseGguf(where, why),
  })
  const tensors = new Map<string, Named>()
  for (const [own, tensor] of stored) {
    if (architecture?.settings.has(own) === true) continue
    const { name, shape = tensor.shape, ...rest } = architecture?.place(own, tensor.shape) ?? { name: own }
    if (tensors.has(name)) refuseGguf(where, `two of its tensors are ${quoted(name)}`)
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
