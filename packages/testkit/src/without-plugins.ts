import { isChosen, isRecord } from '@attune/core'

/** Options with the options of each nested plugin instead of the plugin, which a run saves by its name. */
export const withoutPlugins = (value: unknown): unknown => {
  if (isChosen(value)) return withoutPlugins(value.options)
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutPlugins(each)]))
}
