import { dirname, join } from 'node:path'
import { fileSource } from './byte-source.js'
import { quoted } from './safetensors-header.js'
import { MAXIMUM_INDEX, parseWeightsIndex, refuseIndex } from './weights-index.js'
import { type StoredTensor, type WeightsReader, safetensorsReader, tensorNamed } from './weights-reader.js'

function readIndex(path: string): Uint8Array {
  const source = fileSource(path)
  try {
    if (source.size > MAXIMUM_INDEX) refuseIndex(path, `it has ${source.size} bytes, more than ${MAXIMUM_INDEX}`)
    const bytes = new Uint8Array(source.size)
    source.read(bytes, 0)
    return bytes
  } finally {
    source.close()
  }
}

/** Runs `open` for each file; closes what is open if one fails. */
function openAll(paths: readonly string[]): WeightsReader[] {
  const open: WeightsReader[] = []
  try {
    for (const path of paths) {
      const source = fileSource(path)
      try {
        open.push(safetensorsReader(source))
      } catch (error) {
        source.close()
        throw error
      }
    }
    return open
  } catch (error) {
    for (const reader of open) reader.close()
    throw error
  }
}

/** Every tensor with the file that holds it: each once, and each that the index names where it says. */
function holders(path: string, readers: readonly WeightsReader[]): Map<string, WeightsReader> {
  const held = new Map<string, WeightsReader>()
  for (const reader of readers)
    for (const name of reader.tensors.keys()) {
      const other = held.get(name)
      if (other !== undefined) refuseIndex(path, `tensor ${quoted(name)} is in ${other.where} and in ${reader.where}`)
      held.set(name, reader)
    }
  return held
}

/**
 * The tensors of a checkpoint in several files, found by its index.
 * @throws AttuneError `BAD_WEIGHTS_INDEX`, `BAD_SAFETENSORS`, `FILE_NOT_FOUND`, `FILE_NOT_READABLE`.
 */
export function shardedReader(path: string): WeightsReader {
  const index = parseWeightsIndex(readIndex(path), path)
  const paths = [...new Set(index.values())].sort().map((file) => join(dirname(path), file))
  const readers = openAll(paths)
  const close = (): void => readers.forEach((reader) => reader.close())
  try {
    const held = holders(path, readers)
    for (const [name, file] of index)
      if (held.get(name)?.where !== join(dirname(path), file))
        refuseIndex(path, `it says that ${file} holds tensor ${quoted(name)}, and it does not`)
    const tensors = new Map<string, StoredTensor>()
    for (const [name, reader] of held) tensors.set(name, reader.tensors.get(name)!)
    return { where: path, tensors, metadata: {}, read: (name) => tensorNamed(held, name, path).read(name), close }
  } catch (error) {
    close()
    throw error
  }
}
