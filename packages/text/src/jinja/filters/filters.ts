import type { Runtime } from '../runtime.js'
import type { Arguments, Value } from '../values/value.js'
import type { Filters } from './filter.js'
import { htmlFilters } from './html-filters.js'
import { jsonFilters } from './json-filters.js'
import { listFilters } from './list-filters.js'
import { numberFilters } from './number-filters.js'
import { selectFilters } from './select-filters.js'
import { textFilters } from './text-filters.js'

const TABLES = (): readonly Filters[] => [
  textFilters,
  listFilters,
  selectFilters,
  numberFilters,
  htmlFilters,
  jsonFilters,
]

const tableOf = (name: string): Filters | undefined => TABLES().find((table) => Object.hasOwn(table, name))

/** True if there is a filter of this name. */
export const isFilter = (name: string): boolean => tableOf(name) !== undefined

/** Applies the filter of a name, which there is, to a value. */
export function apply(rt: Runtime, name: string, value: Value, given: Arguments): Value {
  rt.spend(20)
  return tableOf(name)![name]!(rt, value, given, name)
}
