import { type Chosen, type Metric, OBJECTIVE, fieldsRead, pluginsIn } from '@attune/core'
import { chosenIn } from '../files/run-folder.js'

/** Fields named by a plugin's options, excluding those of nested plugins. */
const ownFields = ({ plugin, options }: Chosen): readonly string[] =>
  fieldsRead({
    plugin,
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => pluginsIn(value).length === 0)),
  })

/** Fields that a metric reads; empty for a metric with dependencies, whose fields are not known yet. */
const metricFields = ({ plugin, options }: Chosen): readonly string[] =>
  plugin.needs === undefined ? ((plugin(options) as Metric).fields ?? []) : []

/**
 * Fields that every row must have: those of the objective and of the metrics. Nested objectives (tasks) may each have their own rows, so
 * only the fields that all of them read are required.
 */
export function requiredFields(objective: Chosen, metrics: readonly Chosen[] = []): readonly string[] {
  const [first, ...others] = chosenIn(objective.options)
    .filter(({ plugin }) => plugin.kind.name === OBJECTIVE.name)
    .map((each) => fieldsRead(each))
  const shared = (first ?? []).filter((name) => others.every((fields) => fields.includes(name)))
  return [...new Set([...ownFields(objective), ...shared, ...metrics.flatMap(metricFields)])]
}
