import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import { type Graph, type Value, nodesOf } from './graph.js'
import { type ExternalData, type Port, bytesOf, constantsOf, encodeModel, readBy } from './onnx-model.js'

/** Minimum size in bytes of constants in a separate file: a protocol buffer is limited to 2 GiB. */
const LARGE = 1 << 20

/** Alignment of external data in the format, so that it can be memory-mapped. */
const ALIGNMENT = 4096

/** Writes the values of constants to a file; returns the position of each. */
function writeConstants(values: readonly Value[], file: string): ReadonlyMap<Value, ExternalData> {
  const external = new Map<Value, ExternalData>()
  if (values.length === 0) return external
  const data = openSync(file, 'w')
  let offset = 0
  for (const value of values) {
    const bytes = bytesOf(value.constant!)
    external.set(value, { file: basename(file), offset })
    for (let at = 0; at < bytes.length;) at += writeSync(data, bytes, at, bytes.length - at, offset + at)
    offset = Math.ceil((offset + bytes.length) / ALIGNMENT) * ALIGNMENT
  }
  closeSync(data)
  return external
}

const sizeInBytes = ({ constant }: Value): number => constant!.byteLength

/**
 * Writes a graph to an `.onnx` file for Netron and ONNX Runtime, and large constants to `path` + `.data`. Existing
 * files are overwritten.
 */
export function saveGraph(graph: Graph, path: string): void {
  const large = constantsOf(nodesOf(graph.outputs)).filter((value) => sizeInBytes(value) >= LARGE)
  writeFileSync(path, encodeModel(graph, { external: writeConstants(large, `${path}.data`) }))
}

/** Input or output of a graph for other programs. */
export interface NamedPort extends Port {
  readonly value: Value
}

/**
 * Writes a graph with named inputs and outputs, without the inputs that no output needs. If the constants are larger
 * than `maximumInlineBytes`, the large ones are written to `path` + `_data`, where transformers.js expects them.
 * @returns paths of the written files
 */
export function saveNamedGraph(
  inputs: readonly NamedPort[],
  outputs: readonly NamedPort[],
  path: string,
  maximumInlineBytes: number,
): readonly string[] {
  const nodes = nodesOf(outputs.map(({ value }) => value))
  const [read, constants] = [new Set(readBy(nodes)), constantsOf(nodes)]
  const isLarge = constants.reduce((bytes, value) => bytes + sizeInBytes(value), 0) > maximumInlineBytes
  const large = isLarge ? constants.filter((value) => sizeInBytes(value) >= LARGE) : []
  const file = `${path}_data`
  const used = inputs.filter(({ value }) => read.has(value))
  const graph = { inputs: used.map(({ value }) => value), outputs: outputs.map(({ value }) => value) }
  const ports = new Map([...used, ...outputs].map((port) => [port.value, port]))
  writeFileSync(path, encodeModel(graph, { external: writeConstants(large, file), ports }))
  return isLarge ? [path, file] : [path]
}
