/** Sizes of the dynamic axes by name. */
export type Sizes = Readonly<Record<string, number>>

/** Sum of products of axis sizes: the coefficient of each product, by its axes; `''` is the constant term. */
export type Expression = ReadonlyMap<string, number>

/** An integer of a trace, and the axis sizes that it was traced with. */
export interface Sample {
  readonly sizes: Sizes
  readonly value: number
}

const BETWEEN = ' * '

/** Axes of a product. */
export const axesOf = (product: string): readonly string[] => (product === '' ? [] : product.split(BETWEEN))

export const constantExpression = (n: number): Expression => new Map(n === 0 ? [] : [['', n]])

/** Constant value of an expression without axes; undefined for others. */
export const constantOf = (expression: Expression): number | undefined =>
  expression.size === 0 ? 0 : expression.size === 1 ? expression.get('') : undefined

/** Value of an expression for these sizes. */
export const evaluate = (expression: Expression, sizes: Sizes): number =>
  [...expression].reduce((sum, [axes, factor]) => axesOf(axes).reduce((n, axis) => n * sizes[axis]!, factor) + sum, 0)

/** Text of an expression, such as `past_sequence_length + sequence_length`; equal expressions have equal texts. */
export const textOf = (expression: Expression): string =>
  [...expression]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([axes, factor]) => (axes === '' ? String(factor) : factor === 1 ? axes : `${factor}${BETWEEN}${axes}`))
    .join(' + ') || '0'

export const sameExpression = (a: Expression, b: Expression): boolean => textOf(a) === textOf(b)

/** Sum of expressions. */
export function addExpressions(a: Expression, b: Expression): Expression {
  const sum = new Map(a)
  for (const [axes, factor] of b) sum.set(axes, (sum.get(axes) ?? 0) + factor)
  return new Map([...sum].filter(([, factor]) => factor !== 0))
}

/** Product of expressions. */
export const multiplyExpressions = (a: Expression, b: Expression): Expression =>
  [...a]
    .flatMap(([left, m]) => [...b].map(([right, n]) => [[...axesOf(left), ...axesOf(right)].sort(), m * n] as const))
    .reduce<Expression>(
      (sum, [axes, factor]) => addExpressions(sum, new Map([[axes.join(BETWEEN), factor]])),
      new Map(),
    )

/** Parses a dimension: a number, or a sum of axes such as `past_sequence_length + sequence_length`. */
export function parseDimension(dimension: number | string): Expression {
  if (typeof dimension === 'number') return constantExpression(dimension)
  const terms = dimension.split(' + ')
  return new Map([...new Set(terms)].map((term) => [term, terms.filter((other) => other === term).length]))
}

/**
 * First and second size of each axis: primes that hardly occur among the sizes of a model, so that no two shapes agree by
 * accident, and all larger than the constants that a trace transforms at once.
 */
const FIRST = [67, 71, 73, 79, 83, 89]
const SECOND = [97, 101, 103, 107, 109, 113]
/** Sizes of the trace that verifies the expressions; lengths are those of long texts. */
const THIRD = [151, 1031, 1033, 1039, 1049, 1051]

/** Maximum number of axes. */
export const MAXIMUM_AXES = FIRST.length

/**
 * Axis sizes to trace with: the first sizes, each axis alone and each pair of axes at the second size, which determine
 * the coefficients, and last the sizes for verification.
 */
export function samplePoints(axes: readonly string[]): readonly Sizes[] {
  const sizes = (changed: readonly string[]): Sizes =>
    Object.fromEntries(axes.map((axis, i) => [axis, (changed.includes(axis) ? SECOND : FIRST)[i]!]))
  const pairs = axes.flatMap((a, i) => axes.slice(i + 1).map((b) => [a, b]))
  const third = Object.fromEntries(axes.map((axis, i) => [axis, THIRD[i]!]))
  return [sizes([]), ...axes.map((axis) => sizes([axis])), ...pairs.map(sizes), ...(axes.length > 0 ? [third] : [])]
}

/**
 * Fits an expression of degree at most 1 in each axis, and at most 2 in all, to the integers of the traces with {@link
 * samplePoints}. Undefined if none has integer coefficients and the right value in every trace.
 */
export function fitExpression(samples: readonly Sample[]): Expression | undefined {
  const [base] = samples as readonly [Sample]
  if (samples.every(({ value }) => value === base.value)) return constantExpression(base.value)
  const axes = Object.keys(base.sizes)
  const step = (axis: string): number => samples[1 + axes.indexOf(axis)]!.sizes[axis]! - base.sizes[axis]!
  const alone = axes.map((_, i) => samples[1 + i]!.value - base.value)
  const products: [string, number][] = []
  let at = 1 + axes.length
  for (const [i, a] of axes.entries())
    for (const [j, b] of axes.entries())
      if (j > i)
        products.push([
          a + BETWEEN + b,
          (samples[at++]!.value - base.value - alone[i]! - alone[j]!) / (step(a) * step(b)),
        ])
  const slopes = axes.map((axis, i): [string, number] => {
    const others = products.reduce((sum, [pair, factor]) => {
      const other = axesOf(pair).find((each) => each !== axis)!
      return axesOf(pair).includes(axis) ? sum + factor * base.sizes[other]! : sum
    }, 0)
    return [axis, alone[i]! / step(axis) - others]
  })
  const terms = [...slopes, ...products].filter(([, factor]) => factor !== 0)
  const rest = base.value - evaluate(new Map(terms), base.sizes)
  const expression = new Map([...terms, ...constantExpression(rest)])
  if (![...expression.values()].every(Number.isInteger)) return undefined
  return samples.every(({ sizes, value }) => evaluate(expression, sizes) === value) ? expression : undefined
}
