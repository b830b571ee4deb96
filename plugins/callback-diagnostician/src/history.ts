import type { RunEvent, Score } from '@attune/core'

/** A validation, with the mean training loss of the steps since the one before. */
export interface Validation {
  readonly step: number
  readonly training: number
  readonly validation: number
  /** Learning rate of the latest step. */
  readonly learningRate: number
  readonly scores: Readonly<Record<string, Score>>
}

/** One step of training. */
export interface Step {
  readonly step: number
  readonly loss: number
  readonly gradientNorm: number
}

/** Summary of the events of a run for a diagnosis. */
export interface History {
  /** The first steps, whose mean loss is the baseline, and the latest ones; at most `window` each. */
  readonly first: readonly Step[]
  readonly recent: readonly Step[]
  /** Lowest mean loss of `window` steps, with its last step. */
  readonly best: { readonly loss: number; readonly step: number }
  /** Losses since the latest validation. */
  readonly since: { readonly sum: number; readonly count: number }
  readonly validations: readonly Validation[]
  readonly learningRate: number
  readonly maximumRate: number
}

/** The history of a run before its first step. */
export const START: History = {
  first: [],
  recent: [],
  best: { loss: Infinity, step: 0 },
  since: { sum: 0, count: 0 },
  validations: [],
  learningRate: 0,
  maximumRate: 0,
}

/** Number of first steps whose mean loss is the baseline: few, since training soon lowers it. */
const FIRST = 10

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Squared standard error of a mean. */
const squaredError = (values: readonly number[]): number => {
  const middle = mean(values)
  return mean(values.map((value) => (value - middle) ** 2)) / Math.max(values.length - 1, 1)
}

/** Standard error of the difference of the mean losses of the first and of the latest steps. */
export const lossError = ({ first, recent }: History): number =>
  Math.sqrt([first, recent].reduce((sum, steps) => sum + squaredError(steps.map(({ loss }) => loss)), 0))

/** Mean training loss of the first steps: that of a model which has not learned from the data. */
export const startingLoss = ({ first }: History): number => mean(first.map(({ loss }) => loss))

/** Mean training loss of the latest steps. */
export const recentLoss = ({ recent }: History): number => mean(recent.map(({ loss }) => loss))

/** Adds an event to a history. */
export function extended(history: History, event: RunEvent, window: number): History {
  if (event.type === 'step.completed') {
    const { step, loss, gradientNorm, learningRate } = event
    const taken = { step, loss, gradientNorm }
    const recent = [...history.recent, taken].slice(-window)
    const smoothed = recent.length < window ? Infinity : mean(recent.map((each) => each.loss))
    return {
      ...history,
      first: history.first.length < FIRST ? [...history.first, taken] : history.first,
      recent,
      best: smoothed < history.best.loss ? { loss: smoothed, step } : history.best,
      since: { sum: history.since.sum + loss, count: history.since.count + 1 },
      learningRate,
      maximumRate: Math.max(history.maximumRate, learningRate),
    }
  }
  const { since } = history
  if (event.type !== 'evaluation.completed' || event.split !== 'validation' || since.count === 0) return history
  const validation = event.scores['loss']?.value
  if (validation === undefined) return history
  const { learningRate } = history
  const next = { step: event.step, training: since.sum / since.count, validation, learningRate, scores: event.scores }
  return { ...history, since: { sum: 0, count: 0 }, validations: [...history.validations, next] }
}
