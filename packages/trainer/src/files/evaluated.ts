import type { Score } from '@attune/core'
import type { Progress } from './checkpoint.js'

/** Validation scores and the step of the weights that they belong to. */
export interface Evaluated {
  readonly step: number
  readonly scores: Readonly<Record<string, Score>>
}

/** Returns the scores that a checkpoint stores; undefined if there are none. */
export function evaluatedIn({ evaluated }: Progress): Evaluated | undefined {
  if (evaluated === undefined) return undefined
  const { step, scores } = evaluated
  return { step, scores: Object.fromEntries(Object.entries(scores).map(([name, value]) => [name, { value }])) }
}

/** Returns a checkpoint's progress with the latest scores. Scores that are not finite are not stored: JSON has no such numbers. */
export function withEvaluated({ evaluated: _, ...progress }: Progress, latest: Evaluated | undefined): Progress {
  const values = Object.entries(latest?.scores ?? {}).map(([name, { value }]) => [name, value] as const)
  if (latest === undefined || !values.every(([, value]) => Number.isFinite(value))) return progress
  return { ...progress, evaluated: { step: latest.step, scores: Object.fromEntries(values) } }
}
