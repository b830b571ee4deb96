import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import { type Graph, nodesOf } from './graph.js'
import { type Place, bytesOf, constantsOf, encodeModel } from './onnx-model.js'

/** Constants of so many bytes are written beside the graph: a protocol buffer holds no more than 2 GiB. */
const LARGE = 1 << 20

/** Where the format asks numbers of other files to begin, so that they can be mapped into memory. */
const ALIGNMENT = 4096

/**
 * Writes a graph to an `.onnx` file that Netron and ONNX Runtime open, and large constants to `path` + `.data` beside it.
 * Files of these names are overwritten.
 */
export function saveGraph(graph: Graph, path: string): void {
  const large = constantsOf(nodesOf(graph.outputs)).filter(({ constant }) => constant!.byteLength >= LARGE)
  const file = `${path}.data`
  const outside = new Map<(typeof large)[number], Place>()
  if (large.length > 0) {
    const data = openSync(file, 'w')
    let offset = 0
    for (const value of large) {
      const bytes = bytesOf(value)
      outside.set(value, { file: basename(file), offset })
      for (let at = 0; at < bytes.length;) at += writeSync(data, bytes, at, bytes.length - at, offset + at)
      offset = Math.ceil((offset + bytes.length) / ALIGNMENT) * ALIGNMENT
    }
    closeSync(data)
  }
  writeFileSync(path, encodeModel(graph, { outside }))
}
