import { type Chosen, type Metric, OBJECTIVE, fieldsRead, pluginsIn } from '@attune/core'
import { chosenIn } from '../files/run-folder.js'

/** The fields that the options of a plugin name, those of plugins inside it left out. */
const ownFields = ({ plugin, options }: Chosen): readonly string[] =>
  fieldsRead({
    plugin,
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => pluginsIn(value).length === 0)),
  })

/** The fields that a metric reads; unknown before the run begins of one that needs other parts. */
const metricFields = ({ plugin, options }: Chosen): readonly string[] =>
  plugin.needs === undefined ? ((plugin(options) as Metric).fields ?? []) : []

/**
 * The fields that every row must have: those of the objective and of the metrics. Of objectives inside it (tasks, say), which may each
 * have rows of their own, only those that all of them read.
 */
export function requiredFields(objective: Chosen, metrics: readonly Chosen[] = []): readonly string[] {
  const [first, ...others] = chosenIn(objective.options)
    .filter(({ plugin }) => plugin.kind.name === OBJECTIVE.name)
    .map((each) => fieldsRead(each))
  const shared = (first ?? []).filter((name) => others.every((fields) => fields.includes(name)))
  return [...new Set([...ownFields(objective), ...shared, ...metrics.flatMap(metricFields)])]
}
