import { totalmem } from 'node:os'
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

/** Opens the sessions of one function. A session of a single shape keeps no memory if memory is short and another is larger. */
export function graphOpener(options: Omit<SessionOptions, 'keepsMemory'>): OpenGraph {
  let largest = 0
  return (graph, dimensions) => {
    const size = countValues(graph)
    const keepsMemory = dimensions !== undefined || size >= largest || hasFreeMemory()
    largest = Math.max(largest, size)
    return openSession(graph, { ...options, keepsMemory }, dimensions)
  }
}
