import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import { type Graph, nodesOf } from './graph.js'
import { type ExternalData, bytesOf, constantsOf, encodeModel } from './onnx-model.js'

/** Minimum size in bytes of constants in a separate file: a protocol buffer is limited to 2 GiB. */
const LARGE = 1 << 20

/** Alignment of external data in the format, so that it can be memory-mapped. */
const ALIGNMENT = 4096

/**
 * Writes a graph to an `.onnx` file for Netron and ONNX Runtime, and large constants to `path` + `.data`. Existing
 * files are overwritten.
 */
export function saveGraph(graph: Graph, path: string): void {
  const large = constantsOf(nodesOf(graph.outputs)).filter(({ constant }) => constant!.byteLength >= LARGE)
  const file = `${path}.data`
  const external = new Map<(typeof large)[number], ExternalData>()
  if (large.length > 0) {
    const data = openSync(file, 'w')
    let offset = 0
    for (const value of large) {
      const bytes = bytesOf(value)
      external.set(value, { file: basename(file), offset })
      for (let at = 0; at < bytes.length;) at += writeSync(data, bytes, at, bytes.length - at, offset + at)
      offset = Math.ceil((offset + bytes.length) / ALIGNMENT) * ALIGNMENT
    }
    closeSync(data)
  }
  writeFileSync(path, encodeModel(graph, { external }))
}
