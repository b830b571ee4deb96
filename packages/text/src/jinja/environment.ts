import { bind } from './arguments.js'
import { fail } from './failure.js'
import type { Filters } from './filters/filter.js'
import { htmlFilters } from './filters/html-filters.js'
import { jsonFilters } from './filters/json-filters.js'
import { listFilters } from './filters/list-filters.js'
import { numberFilters } from './filters/number-filters.js'
import { selectFilters } from './filters/select-filters.js'
import { textFilters } from './filters/text-filters.js'
import type { Runtime } from './runtime.js'
import { type Test, nameTest, tests } from './tests/tests.js'
import type { Arguments, Value } from './values/value.js'

const FILTERS: Filters = {
  ...textFilters,
  ...listFilters,
  ...selectFilters({ isFilter, isTest, apply, test }),
  ...numberFilters,
  ...htmlFilters,
  ...jsonFilters,
}

const TESTS: Readonly<Record<string, Test>> = { ...tests, filter: nameTest(isFilter), test: nameTest(isTest) }

/** True if a filter with this name exists. */
export function isFilter(name: string): boolean {
  return Object.hasOwn(FILTERS, name)
}

/** True if a test with this name exists. */
export function isTest(name: string): boolean {
  return Object.hasOwn(TESTS, name)
}

/** Applies an existing filter to a value. */
export function apply(rt: Runtime, name: string, value: Value, args: Arguments): Value {
  rt.spend(20)
  return FILTERS[name]!(rt, value, args, name)
}

/**
 * Applies an existing test to a value.
 * @throws Python's TypeError for arguments that the test does not accept
 */
export function test(rt: Runtime, name: string, value: Value, args: Arguments): boolean {
  const { takes, run } = TESTS[name] ?? fail('TemplateRuntimeError', `No test named '${name}'.`)
  const [other] = bind(name, takes, args)
  rt.spend(12)
  return run(rt, value, other ?? null)
}
