import { backend_util, util } from '@tensorflow/tfjs-core'
import type { Builder } from '../builder.js'
import { type Value, sameShape, sizeOf } from '../graph.js'
import { withActivation } from './activation.js'
import { type Lowerings, broadcast, full, transpose } from './lowering.js'

/** Swaps the last two dimensions. */
const turned = (b: Builder, x: Value): Value => {
  const rank = x.shape.length
  return transpose(b, x, [...x.shape.slice(2).map((_, i) => i), rank - 1, rank - 2])
}

/** Operand of a matrix product: a transpose that only swaps the last two dimensions is absorbed. */
function readThrough(x: Value, transposed: boolean): { x: Value; transposed: boolean } {
  if (x.node?.op !== 'Transpose') return { x, transposed }
  const { ints: perm } = x.node.attributes['perm'] as { ints: readonly number[] }
  const rank = perm.length
  const last = perm[rank - 1] === rank - 2 && perm[rank - 2] === rank - 1
  const outer = perm.slice(0, -2).every((axis, i) => axis === i)
  return last && outer ? { x: x.node.inputs[0]!, transposed: !transposed } : { x, transposed }
}

/** Batched matrix product `a · b` over all leading dimensions, each operand optionally transposed. */
export function product(b: Builder, left: Value, right: Value, transposeA: boolean, transposeB: boolean): Value {
  util.assert(
    left.shape.length > 1 && right.shape.length > 1,
    () => 'a matrix product expects tensors of rank 2 or more',
  )
  const [p, q] = [readThrough(left, transposeA), readThrough(right, transposeB)]
  const [rows, inner] = p.transposed ? [p.x.shape.at(-1)!, p.x.shape.at(-2)!] : [p.x.shape.at(-2)!, p.x.shape.at(-1)!]
  const innerRight = q.transposed ? q.x.shape.at(-1)! : q.x.shape.at(-2)!
  util.assert(
    inner === innerRight,
    () => `inner sizes ${inner} and ${innerRight} of shapes [${left.shape}] and [${right.shape}] must match`,
  )
  const columns = q.transposed ? q.x.shape.at(-2)! : q.x.shape.at(-1)!
  const shape = [...broadcast(left.shape.slice(0, -2), right.shape.slice(0, -2)), rows, columns]
  if (sizeOf(shape) === 0 || inner === 0) return full(b, left.dtype, shape, 0)
  const type = { dtype: left.dtype, shape }
  const sameBatch = sameShape(left.shape.slice(0, -2), right.shape.slice(0, -2))
  if ((!p.transposed && !q.transposed) || left.dtype !== 'float32' || !sameBatch) {
    const [x, y] = [p.transposed ? turned(b, p.x) : p.x, q.transposed ? turned(b, q.x) : q.x]
    return b.node('MatMul', [x, y], type)
  }
  const attributes = { transA: { int: p.transposed ? 1 : 0 }, transB: { int: q.transposed ? 1 : 0 } }
  return b.node('FusedMatMul', [p.x, q.x], type, { attributes, domain: 'com.microsoft' })
}

/** Matrix products and Einstein summation. */
export const products: Lowerings = {
  BatchMatMul: ({ b, in: x, attr }) => product(b, x('a'), x('b'), attr('transposeA'), attr('transposeB')),
  _FusedMatMul: (call) =>
    withActivation(call, product(call.b, call.in('a'), call.in('b'), call.attr('transposeA'), call.attr('transposeB'))),
  Einsum: ({ b, all, attr }) => {
    const equation = attr<string>('equation').replaceAll(' ', '')
    const { allDims, idDims } = backend_util.decodeEinsumEquation(equation, all.length)
    backend_util.checkEinsumDimSizes(allDims.length, idDims, all as never)
    const [inputs = '', output = ''] = equation.split('->')
    const size = new Map(inputs.split(',').flatMap((word, i) => [...word].map((c, j) => [c, all[i]!.shape[j]!])))
    const shape = [...output].map((c) => size.get(c)!)
    if (all.some((x) => sizeOf(x.shape) === 0)) return full(b, all[0]!.dtype, shape, 0)
    return b.node('Einsum', all, { dtype: all[0]!.dtype, shape }, { attributes: { equation: { text: equation } } })
  },
}
