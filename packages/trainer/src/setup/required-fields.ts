import { type Chosen, type Metric, OBJECTIVE, fieldsRead } from '@attune/core'
import { withoutNested } from '../data/row-rules.js'
import type { Plan } from '../plan/plan.js'
import { chosenIn } from '../files/run-folder.js'

/** Fields that a metric reads; empty for a metric with dependencies, whose fields are not known yet. */
const metricFields = ({ plugin, options }: Chosen): readonly string[] =>
  plugin.needs === undefined ? ((plugin(options) as Metric).fields ?? []) : []

/**
 * Fields that every row must have: those of the objective and of the metrics. Nested objectives (tasks) may each have their own rows, so
 * only the fields that all of them read are required. Labels of a nested objective are not, if its option has `.meta({ labels:
 * 'optional' })`: some of the rows are then of an unlabelled domain.
 */
export function requiredFields(objective: Chosen, metrics: readonly Chosen[] = []): readonly string[] {
  const [first, ...others] = Object.entries(objective.options).flatMap(([option, value]) => {
    const areOptional = objective.plugin.options.shape[option]?.meta()?.['labels'] === 'optional'
    return chosenIn(value)
      .filter(({ plugin }) => plugin.kind.name === OBJECTIVE.name)
      .map((each) => fieldsRead(each).filter((name) => !areOptional || !fieldsRead(each, 'label').includes(name)))
  })
  const shared = (first ?? []).filter((name) => others.every((fields) => fields.includes(name)))
  return [...new Set([...fieldsRead(withoutNested(objective)), ...shared, ...metrics.flatMap(metricFields)])]
}

/** Fields that the regularizers of a run read; its training batches hold them. */
export const regularizerFields = ({ config }: Pick<Plan, 'config'>): readonly string[] => [
  ...new Set(config.regularizer.flatMap((chosen) => fieldsRead(chosen))),
]
