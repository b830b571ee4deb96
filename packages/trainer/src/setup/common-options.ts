import type { LossTerm, Metric, Optimizer } from '@attune/core'
import { restrictTo } from '@attune/nn'
import { mul } from '@tensorflow/tfjs-core'

type Common = Readonly<Record<string, unknown>>

const weighted = (term: LossTerm, { weight }: Common): LossTerm =>
  weight === undefined || weight === 1
    ? term
    : { ...term, losses: (outputs, targets) => mul(term.losses(outputs, targets), weight as number) }

/** Examples of other tasks have no such view and are left out. */
const ofTask = (metric: Metric, { of }: Common): Metric =>
  of === undefined
    ? metric
    : {
        ...metric,
        name: `${String(of)}.${metric.name}`,
        compares: `${String(of)}.${metric.compares}`,
        add(state, predictions, references, examples) {
          const own = <T>(values: readonly T[]): T[] => values.filter((_, i) => references[i] !== undefined)
          return metric.add(
            state,
            own(predictions),
            own(references),
            ...(examples === undefined ? [] : [own(examples)]),
          )
        },
      }

const restricted = (link: Optimizer, { only: pattern }: Common): Optimizer =>
  pattern === undefined ? link : restrictTo(link, pattern as string)

const REFINED: Readonly<Record<string, (instance: never, common: Common) => unknown>> = {
  loss: weighted,
  metric: ofTask,
  optimizer: restricted,
}

/** An instance with the options applied that every plugin of its kind takes: a loss's weight, a metric's task, an optimizer's parameters. */
export const refined = <T>(kind: string, instance: T, common: Common): T =>
  (REFINED[kind]?.(instance as never, common) as T | undefined) ?? instance
