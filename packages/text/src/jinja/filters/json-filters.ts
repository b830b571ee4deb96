import { asText } from '../arguments.js'
import { fail } from '../failure.js'
import type { Runtime } from '../runtime.js'
import { repeat } from '../text/points.js'
import { collect } from '../values/iterate.js'
import { toJson } from '../values/json.js'
import { prettyRepr } from '../values/pretty.js'
import { isTrue } from '../values/sequence.js'
import { type Value, intOf, stringOf, typeName } from '../values/value.js'
import { type Filters, filter } from './filter.js'

function indentOf(rt: Runtime, value: Value | undefined): string | undefined {
  if (value === undefined || value === null) return undefined
  const text = stringOf(value)
  if (text !== undefined) return text
  const count = intOf(value)
  return count === undefined
    ? fail('TypeError', `expected an int or str as indent, got a value of type ${typeName(value)}`)
    : repeat(rt, ' ', Number(count))
}

function separatorsOf(
  rt: Runtime,
  value: Value | undefined,
  isIndented: boolean,
  isUnused: boolean,
): readonly [string, string] {
  if (value === undefined || value === null) return [isIndented ? ',' : ', ', ': ']
  const items = collect(rt, value)
  if (items.length !== 2) fail('ValueError', `expected 2 separators, got ${items.length}`)
  return isUnused ? ['', ''] : [asText(items[0]!), asText(items[1]!)]
}

const flag = (rt: Runtime, value: Value | undefined): boolean => value !== undefined && isTrue(rt, value)

/** Filters that format values as JSON and as Python literals. */
export const jsonFilters: Filters = {
  pprint: filter('', prettyRepr),
  tojson: filter(
    'ensure_ascii? indent? separators? sort_keys?',
    (rt, value, [isAscii, indent, separators, isSorted]) => {
      // Python does not use these options for a str.
      const isText = stringOf(value) !== undefined
      const by = isText ? undefined : indentOf(rt, indent)
      const [itemSeparator, keySeparator] = separatorsOf(rt, separators, by !== undefined, isText)
      return toJson(rt, value, {
        isAscii: flag(rt, isAscii),
        indent: by,
        itemSeparator,
        keySeparator,
        isSorted: flag(rt, isSorted),
      })
    },
  ),
}
