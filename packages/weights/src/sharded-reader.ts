import { dirname, join } from 'node:path'
import { AttuneError } from '@attune/core'
import { fileSource, reopenedSource } from './file-source.js'
import { quoted } from './safetensors-header.js'
import { MAXIMUM_INDEX, type WeightsIndex, parseWeightsIndex, rejectIndex } from './weights-index.js'
import { type StoredTensor, type WeightsReader, safetensorsReader, tensorNamed } from './weights-reader.js'

function readIndex(path: string): Uint8Array {
  const source = fileSource(path)
  try {
    if (source.size > MAXIMUM_INDEX) rejectIndex(path, `it has ${source.size} bytes, more than ${MAXIMUM_INDEX}`)
    const bytes = new Uint8Array(source.size)
    source.read(bytes, 0)
    return bytes
  } finally {
    source.close()
  }
}

/** Returns the tensor names of each file in the index, sorted by file. */
function namesByFile(index: WeightsIndex): [file: string, names: string[]][] {
  const byFile = new Map<string, string[]>()
  for (const [name, file] of index) {
    const names = byFile.get(file)
    if (names === undefined) byFile.set(file, [name])
    else names.push(name)
  }
  return [...byFile].sort(([a], [b]) => (a < b ? -1 : 1))
}

/**
 * Returns the reader of each tensor. Checks that no tensor occurs twice and that each is in the file that the index names. The
 * files are read one after another, up to the first mismatch; none stays open.
 */
function readersByTensor(path: string, index: WeightsIndex): Map<string, WeightsReader> {
  const readers = new Map<string, WeightsReader>()
  for (const [file, names] of namesByFile(index)) {
    const source = reopenedSource(join(dirname(path), file))
    try {
      const reader = safetensorsReader(source)
      for (const name of reader.tensors.keys()) {
        const other = readers.get(name)
        if (other !== undefined) rejectIndex(path, `tensor ${quoted(name)} is in ${other.where} and in ${reader.where}`)
        readers.set(name, reader)
      }
      for (const name of names)
        if (!reader.tensors.has(name))
          rejectIndex(path, `${file} lacks tensor ${quoted(name)}, which the index assigns to it`)
    } finally {
      source.close()
    }
  }
  return readers
}

/**
 * Opens a sharded checkpoint by its index. One file is open at a time, because there may be more than a process may have open.
 * @throws AttuneError `BAD_WEIGHTS_INDEX`, `BAD_SAFETENSORS`, `FILE_NOT_FOUND`, `FILE_NOT_READABLE`.
 */
export function shardedReader(path: string): WeightsReader {
  const readers = readersByTensor(path, parseWeightsIndex(readIndex(path), path))
  const tensors = new Map<string, StoredTensor>()
  for (const [name, reader] of readers) tensors.set(name, reader.tensors.get(name)!)
  let open: WeightsReader | undefined
  let closed = false
  return {
    where: path,
    tensors,
    metadata: {},
    read(name) {
      if (closed) throw new AttuneError('FILE_NOT_READABLE', `${path} was closed`, 'Open the weights again.')
      const reader = tensorNamed(readers, name, path)
      if (open !== reader) open?.close()
      open = reader
      return reader.read(name)
    },
    close() {
      open?.close()
      closed = true
    },
  }
}
