import type { TextInputs } from '@attune/core'
import {
  type Tensor,
  abs,
  argMax,
  cast,
  equal,
  expandDims,
  greater,
  less,
  logicalAnd,
  matMul,
  mul,
  range,
  sub,
} from '@tensorflow/tfjs-core'

/** The graph of a text. A word is spread over all places where it stands; the first of them stands for it. */
export interface WordGraph {
  /** `[batch, length]`, 1 at the first place of each word, else 0: the nodes. */
  readonly nodes: Tensor
  /** `[batch, length, length]`, 1 from each place to the nodes that its word is linked to, itself among them, else 0. */
  readonly links: Tensor
}

/**
 * Links distinct tokens that stand less than `window` places from one another anywhere in the text, and each to itself. Padding
 * has no links, and texts that were packed into one row have none in common. No numbers are read: a compiled step holds for all texts.
 */
export function wordGraph({ inputIds, attentionMask, segmentIds }: TextInputs, window: number): WordGraph {
  const length = inputIds.shape[1] as number
  const places = range(0, length, 1, 'int32')
  const mask = cast(attentionMask, 'bool')
  const pairs = (x: Tensor): Tensor => equal(expandDims(x, 2), expandDims(x, 1)) // [batch, length, length]
  const real = logicalAnd(expandDims(mask, 2), expandDims(mask, 1))
  const together = segmentIds === undefined ? real : logicalAnd(real, pairs(segmentIds))
  const near = less(abs(sub(expandDims(places, 1), expandDims(places, 0))), window) // [length, length]
  const same = cast(logicalAnd(together, pairs(inputIds)), 'float32')
  const close = cast(logicalAnd(together, near), 'float32')
  // From a place to all places of its word, from those to what is near them, from that to all places of its words.
  const linked = greater(matMul(matMul(same, close), same), 0)
  // The greatest of a row of 0 and 1 is the first 1.
  const first = equal(argMax(same, 2), expandDims(places, 0)) // [batch, length]
  const nodes = cast(logicalAnd(first, mask), 'float32')
  return { nodes, links: mul(cast(linked, 'float32'), expandDims(nodes, 1)) }
}
