import type { LossTerm, Metric, Optimizer } from '@attune/core'
import { restrictTo } from '@attune/nn'
import { mul } from '@tensorflow/tfjs-core'

type Common = Readonly<Record<string, unknown>>

const weighted = (term: LossTerm, { weight }: Common): LossTerm =>
  weight === undefined || weight === 1
    ? term
    : { ...term, losses: (outputs, targets) => mul(term.losses(outputs, targets), weight as number) }

/** Restricts a metric to the examples of one task; other examples lack its view. */
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

/** Applies the options common to all plugins of a kind: a loss's weight, a metric's task, an optimizer's parameter filter. */
export const withCommonOptions = <T>(kind: string, instance: T, common: Common): T =>
  (REFINED[kind]?.(instance as never, common) as T | undefined) ?? instance
