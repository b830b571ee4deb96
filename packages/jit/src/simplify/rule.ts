import type { Builder } from '../builder.js'
import { type Node, type Value, sizeOf } from '../graph.js'

/** What a rule sees of a node: its inputs as they stand in the new graph, and what is known of the old one. */
export interface Site {
  readonly b: Builder
  readonly node: Node
  readonly inputs: readonly Value[]
  /** Whether nothing but this node reads the input at a place. */
  readonly sole: readonly boolean[]
}

/** A cheaper way to compute a node's outputs, or nothing where the rule does not apply. */
export type Rule = (site: Site) => readonly Value[] | undefined

/** The node that makes a value, if it is one of the operation. */
export const madeBy = (value: Value | undefined, op: string): Node | undefined =>
  value?.node?.op === op ? value.node : undefined

/** Whether a value is one number, which can be multiplied with others at no cost. */
export const isScalar = ({ shape, dtype }: Value): boolean => shape.length === 0 && dtype === 'float32'

/** Whether it is worth saving a pass over the value. */
export const isLarge = ({ shape }: Value): boolean => sizeOf(shape) > 1

/** A product of a number and a value, in either order. */
export function scaled(value: Value): { readonly by: Value; readonly x: Value } | undefined {
  const [left, right] = madeBy(value, 'Mul')?.inputs ?? []
  if (left === undefined || right === undefined || value.dtype !== 'float32') return undefined
  if (isScalar(left) && isLarge(right)) return { by: left, x: right }
  if (isScalar(right) && isLarge(left)) return { by: right, x: left }
  return undefined
}
