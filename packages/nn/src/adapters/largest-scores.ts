import { AttuneError, type HostArray, type OnHost, type Params } from '@attune/core'

/** Scores of weights by parameter name, on the host. */
export type Scores = Readonly<Record<string, HostArray>>

/** Masks of weights by parameter name, on the host: 1 for chosen weights, else 0. */
export type HostMasks = Readonly<Record<string, HostArray>>

/** The weights that are compared: all, those of a layer, or those of an output of a layer. */
export type Comparison = 'global' | 'layer' | 'output'

/** Tensors that the engine has read, as scores. */
export const asScores = (read: OnHost<Params>): Scores => read as Readonly<Record<string, unknown>> as Scores

/**
 * Marks the largest scores with 1, the others with 0; among equal scores, the first ones. At least one is marked.
 * @param fraction in (0, 1], of the number of scores; rounded
 * @param of the adapter and the scores, for the error
 * @throws AttuneError `NON_FINITE_SCORES`
 */
export function markLargest(scores: ArrayLike<number>, fraction: number, of: string): Float32Array {
  const sorted = (scores instanceof Float32Array ? scores.slice() : Float64Array.from(scores)).sort() // NaN is last
  if (!Number.isFinite(sorted[0]) || !Number.isFinite(sorted.at(-1)))
    throw new AttuneError(
      'NON_FINITE_SCORES',
      `${of}: expected finite scores, got scores from ${sorted[0]} to ${sorted.at(-1)}`,
      'Check the pretrained weights and the training data for extreme values.',
    )
  const count = Math.max(1, Math.round(fraction * sorted.length))
  const threshold = sorted[sorted.length - count]!
  const marks = new Float32Array(scores.length)
  let left = count
  for (let i = 0; i < scores.length; i++) if (scores[i]! > threshold) left -= marks[i] = 1
  for (let i = 0; left > 0 && i < scores.length; i++) if (scores[i]! === threshold) left -= marks[i] = 1
  return marks
}

/** The marks of one array that holds all scores, one parameter after another. */
function markTogether(scores: Scores, fraction: number, of: string): ReadonlyMap<string, Float32Array> {
  const all = new Float32Array(Object.values(scores).reduce((sum, { values }) => sum + values.length, 0))
  const starts = new Map<string, number>()
  let end = 0
  for (const [name, { values }] of Object.entries(scores)) {
    starts.set(name, end)
    all.set(values, end)
    end += values.length
  }
  const marks = markLargest(all, fraction, of)
  return new Map([...starts].map(([name, at]) => [name, marks.slice(at, at + scores[name]!.values.length)]))
}

/** Marks of each row of `[outputs, inputs]`, or of each column if `inputFirst`. */
function markOutputs({ values, shape }: HostArray, fraction: number, inputFirst: boolean, of: string): Float32Array {
  const [rows, columns] = shape as readonly [number, number]
  const [outputs, inputs] = inputFirst ? [columns, rows] : [rows, columns]
  const at = (output: number, input: number): number =>
    inputFirst ? input * outputs + output : output * inputs + input
  const marks = new Float32Array(values.length)
  for (let output = 0; output < outputs; output++) {
    const own = Float32Array.from({ length: inputs }, (_, input) => values[at(output, input)]!)
    markLargest(own, fraction, of).forEach((mark, input) => (marks[at(output, input)] = mark))
  }
  return marks
}

/**
 * Masks of the weights with the largest scores. Deterministic: among equal scores, those first in the order of parameters and of indices
 * are chosen.
 * @param fraction of the compared weights, in (0, 1]; rounded, and at least one weight
 * @param adapter its name, for the error
 * @throws AttuneError `NON_FINITE_SCORES`
 */
export function largestScores(
  adapter: string,
  scores: Scores,
  {
    fraction,
    compare,
    inputFirst = false,
  }: { fraction: number; compare: Comparison; inputFirst?: boolean | undefined },
): HostMasks {
  const of = (name: string): string => `adapter ${adapter}: ${name}`
  const together = compare === 'global' ? markTogether(scores, fraction, of('all layers')) : undefined
  const marksOf = (name: string, array: HostArray): Float32Array =>
    together?.get(name) ??
    (compare === 'output'
      ? markOutputs(array, fraction, inputFirst, of(name))
      : markLargest(array.values, fraction, of(name)))
  return Object.fromEntries(
    Object.entries(scores).map(([name, array]) => [
      name,
      { shape: array.shape, dtype: 'float32', values: marksOf(name, array) } as const,
    ]),
  )
}
