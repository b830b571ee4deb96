import type { Builder } from '../builder.js'
import type { Value } from '../graph.js'
import { type NamedPort, saveNamedGraph } from '../save-graph.js'

/** Size of the constants that a single file holds: a protocol buffer is limited to 2 GiB. */
const MAXIMUM_INLINE_BYTES = 2 ** 31 - 2 ** 26

/** The value as the result of an operation of its own. */
function identity(b: Builder, value: Value): Value {
  const outputs: Value[] = []
  outputs.push({ ...b.input(value), node: { op: 'Identity', domain: '', inputs: [value], attributes: {}, outputs } })
  return outputs[0]!
}

/**
 * Writes a graph with named inputs and outputs to an `.onnx` file.
 * @returns paths of the written files
 */
export function saveDynamicGraph(
  b: Builder,
  inputs: readonly NamedPort[],
  outputs: readonly NamedPort[],
  path: string,
  maximumInlineBytes = MAXIMUM_INLINE_BYTES,
): readonly string[] {
  // A value has one name: inputs, constants and repeated outputs are copied.
  const named = outputs.map((output, i) => {
    const isFree = output.value.node !== undefined && outputs.findIndex(({ value }) => value === output.value) === i
    return isFree ? output : { ...output, value: identity(b, output.value) }
  })
  return saveNamedGraph(inputs, named, path, maximumInlineBytes)
}
