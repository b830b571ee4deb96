import type { UntimedEvent } from '@attune/core'

/** The start of a run with the scores `loss`, `accuracy`, `macro-f1` and `error-rate`. */
export const startedRun: UntimedEvent = {
  type: 'run.started',
  seed: 7,
  steps: 600,
  epochs: 6,
  examples: 800,
  parameters: 10,
  trainableParameters: 10,
  engine: 'none',
  scores: { loss: 'minimize', accuracy: 'maximize', 'macro-f1': 'maximize', 'error-rate': 'minimize' },
}

/** The start of a run, then one evaluation per value of a score, 100 steps apart. */
export const evaluationEvents = (metric: string, values: readonly number[], split = 'validation'): UntimedEvent[] => [
  startedRun,
  ...values.map((value, i): UntimedEvent => ({
    type: 'evaluation.completed',
    step: 100 * (i + 1),
    split,
    scores: { loss: { value: 1 }, [metric]: { value } },
    examples: 50,
    seconds: 1,
  })),
]
