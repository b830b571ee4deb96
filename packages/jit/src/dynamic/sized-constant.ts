import type { Builder } from '../builder.js'
import { type Value, sameShape, sameValues, sizeOf } from '../graph.js'
import { cast } from '../lower/lowering.js'
import { type Expression, fitExpression } from './expression.js'
import { type SizedTrace, cannotExport, dimensions } from './match-traces.js'
import type { ShapeArithmetic } from './shape-arithmetic.js'

const numbersOf = ({ constant }: Value): readonly number[] => Array.from(constant as Float32Array, Number)

/** True if all traces hold the same constant. */
function areEqual(values: readonly Value[]): boolean {
  const [first] = values as [Value]
  return values.every(
    (value) =>
      value.constant === first.constant ||
      (value.dtype === first.dtype &&
        sameShape(value.shape, first.shape) &&
        sameValues(value.constant!, first.constant!)),
  )
}

/** Sizes of the traces. */
export type Sized = readonly Pick<SizedTrace, 'sizes'>[]

const fit = (traces: Sized, numbers: readonly number[]): Expression | undefined =>
  fitExpression(traces.map(({ sizes }, t) => ({ sizes, value: numbers[t]! })))

/** Constants of equal shape with different integers, as expressions of the sizes. */
export function fitElements(traces: Sized, values: readonly Value[]): readonly Expression[] | undefined {
  const all = values.map(numbersOf)
  if (all[0]!.length > 64) return undefined
  const found = all[0]!.map((_, i) =>
    fit(
      traces,
      all.map((numbers) => numbers[i]!),
    ),
  )
  return found.includes(undefined) ? undefined : (found as readonly Expression[])
}

/** Constants that are `start, start + step, …` along one axis. */
function fitSequence(traces: Sized, values: readonly Value[]) {
  if (values.some(({ shape }) => shape.filter((n) => n !== 1).length !== 1)) return undefined
  const all = values.map(numbersOf)
  const steps = all.map(([first, second]) => second! - first!)
  const isEven = all.every((numbers, t) => numbers.every((n, i) => n === numbers[0]! + i * steps[t]!))
  const [start, step, length] = [all.map(([first]) => first!), steps, all.map((numbers) => numbers.length)].map(
    (each) => fit(traces, each),
  )
  return isEven && start && step && length ? { start, step, length } : undefined
}

/**
 * Constant of a function that was traced with several sizes: the same in all traces, or computed from the sizes (sizes
 * themselves, sequences of integers, one number everywhere).
 * @throws AttuneError `CANNOT_EXPORT` for any other dependence on the sizes
 */
export function sizedConstant(b: Builder, traces: Sized, values: readonly Value[], sizes: ShapeArithmetic): Value {
  const [first] = values as [Value]
  const { dtype, shape } = first
  if (areEqual(values)) {
    const numbers = first.constant!
    return sizeOf(shape) > 64 ? b.array(dtype, numbers, shape) : b.constant(dtype, numbersOf(first), shape)
  }
  const elements = values.every((value) => sameShape(value.shape, shape)) ? fitElements(traces, values) : undefined
  if (elements !== undefined) {
    const flat = cast(b, sizes.vector(elements), dtype)
    return shape.length === 1 ? flat : b.node('Reshape', [flat, b.constant('int64', shape)], first)
  }
  const splats = new Set(values.flatMap(numbersOf))
  if (splats.size === 1) {
    const target = sizes.vector(
      dimensions(
        traces,
        values.map((value) => value.shape),
      ),
    )
    return b.node('Expand', [b.constant(dtype, [...splats], []), target], first)
  }
  const sequence = fitSequence(traces, values)
  if (sequence === undefined)
    throw cannotExport(
      `a constant [${shape.join()}] has other values for other sizes, which are not a sequence of integers`,
    )
  const { start, step, length } = sequence
  const flat = sizes.sequence(start, step, length, { dtype, count: sizeOf(shape) })
  const target = shape.map((n) => (n === 1 ? 1 : -1))
  return shape.length === 1 ? flat : b.node('Reshape', [flat, b.constant('int64', target)], first)
}
