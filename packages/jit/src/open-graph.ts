import { totalmem } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Graph, nodesOf, sizeOf } from './graph.js'
import { type SessionOptions, openSession } from './session.js'
import type { OpenGraph } from './shapes/family.js'

/** Memory of the machine in bytes, or the limit of this process. */
export const totalMemory = (): number => Math.min(totalmem(), process.constrainedMemory() || Infinity)

/**
 * True if more than half of the machine's memory is free. Sessions run in turn, and each keeps the memory of its last
 * run for the next one, which was measured to be 8 to 17 % faster; if memory is short, only the largest one does.
 */
const hasFreeMemory = (): boolean => process.availableMemory() > totalMemory() / 2

const countValues = ({ outputs }: Graph): number =>
  nodesOf(outputs).reduce((sum, node) => node.outputs.reduce((total, { shape }) => total + sizeOf(shape), sum), 0)

/** Minimum number of nodes of a graph around whose session garbage is collected. */
const LARGE_GRAPH = 4096

/**
 * Collects garbage. The trace of a training step leaves about 100 MB, and its encoding up to 40 MB, which V8 would keep while ONNX Runtime
 * takes the memory of the first run: the peak of a step was measured to be 85 MB lower.
 */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

/** Opens the sessions of one function. A session of a single shape keeps no memory if memory is short and another is larger. */
export function graphOpener(options: Omit<SessionOptions, 'keepsMemory'>): OpenGraph {
  let largest = 0
  return (graph, dimensions) => {
    const size = countValues(graph)
    const keepsMemory = dimensions !== undefined || size >= largest || hasFreeMemory()
    largest = Math.max(largest, size)
    const isLarge = nodesOf(graph.outputs).length >= LARGE_GRAPH
    if (isLarge) collectGarbage()
    const session = openSession(graph, { ...options, keepsMemory }, dimensions)
    if (isLarge) collectGarbage()
    return session
  }
}
