import type { Builder } from '../builder.js'
import { type Node, type Value, sizeOf } from '../graph.js'

/** A node to rewrite: its inputs in the new graph, and facts about the old graph. */
export interface Site {
  readonly b: Builder
  readonly node: Node
  readonly inputs: readonly Value[]
  /** True for each input that only this node reads. */
  readonly sole: readonly boolean[]
}

/** Rewrites a node to cheaper outputs; undefined if the rule does not apply. */
export type Rule = (site: Site) => readonly Value[] | undefined

/** Returns the node of a value if it is of this operation. */
export const madeBy = (value: Value | undefined, op: string): Node | undefined =>
  value?.node?.op === op ? value.node : undefined

/** True for a float32 scalar, which can be multiplied with other factors at no cost. */
export const isScalar = ({ shape, dtype }: Value): boolean => shape.length === 0 && dtype === 'float32'

/** True if a pass over the value is worth saving. */
export const isLarge = ({ shape }: Value): boolean => sizeOf(shape) > 1

/** Matches the product of a scalar and a tensor, in either order. */
export function scaled(value: Value): { readonly by: Value; readonly x: Value } | undefined {
  const [left, right] = madeBy(value, 'Mul')?.inputs ?? []
  if (left === undefined || right === undefined || value.dtype !== 'float32') return undefined
  if (isScalar(left) && isLarge(right)) return { by: left, x: right }
  if (isScalar(right) && isLarge(left)) return { by: right, x: left }
  return undefined
}
