import type { FoldScores } from './events.js'
import type { Values } from './past-run.js'

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Mean and sample standard deviation of one score over the folds. */
export function foldScores(values: readonly number[]): FoldScores {
  const middle = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0)
  return { mean: middle, standardDeviation: Math.sqrt(squares / (values.length - 1)), values }
}

/** Statistics of every score over the folds, by name. */
export const summarize = (folds: readonly Values[]): Readonly<Record<string, FoldScores>> =>
  Object.fromEntries(
    Object.keys(folds[0] ?? {}).map((name) => [name, foldScores(folds.map((values) => values[name] ?? NaN))]),
  )
