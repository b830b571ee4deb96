import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type Rows, negativeSampling } from './negative-sampling.js'

interface Sample {
  readonly inputs: readonly number[]
  readonly targets: readonly number[]
  readonly learningRate: number
}
interface Golden {
  readonly size: number
  readonly before: Readonly<Record<'input' | 'output', readonly number[]>>
  readonly samples: readonly Sample[]
  readonly losses: readonly number[]
  readonly after: Readonly<Record<'input' | 'output', readonly number[]>>
}
const golden = JSON.parse(readFileSync('golden/word2vec.json', 'utf8')) as Golden
const { size, before } = golden
const rowsOf = (rows: readonly number[]): Rows => ({ rows: Int32Array.from(rows), count: rows.length })
const tablesOf = ({ input, output }: Golden['before']) => ({
  size,
  input: Float32Array.from(input),
  output: Float32Array.from(output),
})
const maximumDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)))

/** Equation 4 of Mikolov et al., 2013, for the mean of the inputs, in double precision. */
function lossOf(input: ArrayLike<number>, output: ArrayLike<number>, { inputs, targets }: Sample): number {
  const score = (target: number): number => {
    let sum = 0
    for (const row of inputs)
      for (let i = 0; i < size; i++) sum += (input[row * size + i]! / inputs.length) * output[target * size + i]!
    return sum
  }
  return targets.reduce((sum, t, n) => sum - Math.log(1 / (1 + Math.exp(n === 0 ? -score(t) : score(t)))), 0)
}

describe('negativeSampling', () => {
  it('matches the NumPy reference on the same samples', () => {
    const tables = tablesOf(before)
    const step = negativeSampling(tables)
    const losses = golden.samples.map((s) => step(rowsOf(s.inputs), rowsOf(s.targets), s.learningRate))
    expect(maximumDifference(losses, golden.losses)).toBeLessThan(1e-5)
    expect(maximumDifference(tables.input, golden.after.input)).toBeLessThan(1e-6)
    expect(maximumDifference(tables.output, golden.after.output)).toBeLessThan(1e-6)
  })

  it.each([0, 1, 2, 3])('matches finite differences, sample %i', (n) => {
    const sample = golden.samples[n]!
    const tables = tablesOf(before)
    expect(negativeSampling(tables)(rowsOf(sample.inputs), rowsOf(sample.targets), 1)).toBeCloseTo(
      lossOf(before.input, before.output, sample),
      10,
    )
    for (const name of ['input', 'output'] as const)
      for (const [at, value] of before[name].entries()) {
        const moved = (by: number): number => {
          const table = before[name].map((x, i) => (i === at ? x + by : x))
          return name === 'input' ? lossOf(table, before.output, sample) : lossOf(before.input, table, sample)
        }
        const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
        expect(Math.abs(value - tables[name][at]! - slope)).toBeLessThan(1e-6)
      }
  })
})
