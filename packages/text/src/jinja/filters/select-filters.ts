import { fail } from '../failure.js'
import { type Runtime, chargeEntries } from '../runtime.js'
import { keyOf } from '../values/dict.js'
import { collect, generator, valuesOf } from '../values/iterate.js'
import { equals, isSame } from '../values/equality.js'
import { isTrue } from '../values/sequence.js'
import { repr } from '../values/text-of.js'
import { type Arguments, type Key, type Value, isUndefined, list, stringOf } from '../values/value.js'
import { getter } from './attribute-getter.js'
import { type Filter, type Filters, filter } from './filter.js'
import { sortedBy } from './list-filters.js'

/** Lookup of filters and tests by name. */
export interface Environment {
  /** True if a filter with this name exists. */
  readonly isFilter: (name: string) => boolean
  /** True if a test with this name exists. */
  readonly isTest: (name: string) => boolean
  /** Applies an existing filter to a value. */
  readonly apply: (rt: Runtime, name: string, value: Value, args: Arguments) => Value
  /** Applies an existing test to a value. */
  readonly test: (rt: Runtime, name: string, value: Value, args: Arguments) => boolean
}

const flag = (rt: Runtime, value: Value | undefined): boolean => value !== undefined && isTrue(rt, value)

/** The name of a filter or test that is passed as a value. */
function nameOf(rt: Runtime, value: Value, what: 'filter' | 'test', isKnown: (name: string) => boolean): string {
  const name = stringOf(value)
  if (name !== undefined && isKnown(name)) return name
  const hint = isUndefined(value) ? ' (the name must be quoted)' : ''
  if (name === undefined) keyOf(rt, value)
  return fail('TemplateRuntimeError', `No ${what} named ${repr(rt, value)}.${hint}`)
}

/** Arguments without the first ones. */
const rest = ({ positional, named }: Arguments, from: number): Arguments => ({
  positional: positional.slice(from),
  named,
})

function attributeMapper(rt: Runtime, named: ReadonlyMap<string, Value>): (item: Value) => Value {
  for (const name of named.keys())
    if (name !== 'attribute' && name !== 'default') fail('FilterArgumentError', `Unexpected keyword argument '${name}'`)
  return getter(rt, named.get('attribute'), { other: named.get('default') })
}

function mapperOf({ apply, isFilter }: Environment, rt: Runtime, args: Arguments): (item: Value) => Value {
  const { positional, named } = args
  if (positional.length === 0 && named?.has('attribute') === true) return attributeMapper(rt, named)
  const [name] = positional
  if (name === undefined) return fail('FilterArgumentError', 'map requires a filter argument')
  const following = rest(args, 1)
  return (item) => apply(rt, nameOf(rt, name, 'filter', isFilter), item, following)
}

const mapWith =
  (environment: Environment): Filter =>
  (rt, value, args) =>
    generator(rt, value, function* () {
      if (!isTrue(rt, value)) return
      const mapper = mapperOf(environment, rt, args)
      for (const item of valuesOf(rt, value)) {
        rt.spend(30)
        yield mapper(item)
      }
    })

function choiceOf(
  { isTest, test }: Environment,
  rt: Runtime,
  args: Arguments,
  hasAttribute: boolean,
): (item: Value) => boolean {
  const [first] = args.positional
  if (hasAttribute && first === undefined) return fail('FilterArgumentError', 'Missing parameter for attribute name')
  const get = hasAttribute ? getter(rt, first) : (item: Value) => item
  const name = args.positional[hasAttribute ? 1 : 0]
  if (name === undefined) return (item) => isTrue(rt, get(item))
  const following = rest(args, hasAttribute ? 2 : 1)
  return (item) => test(rt, nameOf(rt, name, 'test', isTest), get(item), following)
}

const selection =
  (environment: Environment, hasAttribute: boolean, wanted: boolean): Filter =>
  (rt, value, args) =>
    generator(rt, value, function* () {
      if (!isTrue(rt, value)) return
      const choice = choiceOf(environment, rt, args, hasAttribute)
      for (const item of valuesOf(rt, value)) {
        rt.spend(30)
        if (choice(item) === wanted) yield item
      }
    })

const unique = filter('case_sensitive? attribute?', (rt, value, [caseSensitive, attribute]) =>
  generator(rt, value, function* () {
    const get = getter(rt, attribute, { isCaseSensitive: flag(rt, caseSensitive) })
    const seen = new Set<Key>()
    for (const item of valuesOf(rt, value)) {
      const key = keyOf(rt, get(item))
      rt.spend(20)
      rt.hold(48)
      if (seen.has(key)) continue
      seen.add(key)
      yield item
    }
  }),
)

interface Group {
  readonly key: Value
  readonly items: Value[]
}

function groups(rt: Runtime, items: readonly Value[], get: (item: Value) => Value): readonly Group[] {
  const found: Group[] = []
  for (const item of items) {
    const key = get(item)
    const group = found.at(-1)
    rt.spend(4)
    rt.hold(24)
    if (group !== undefined && (isSame(group.key, key) || equals(rt, group.key, key))) group.items.push(item)
    else found.push({ key, items: [item] })
  }
  return found
}

const groupBy = filter('attribute default? case_sensitive?', (rt, value, [attribute, other, caseSensitive]) => {
  const isCaseSensitive = flag(rt, caseSensitive)
  const get = getter(rt, attribute, { isCaseSensitive, other })
  const found = groups(rt, sortedBy(rt, collect(rt, value), get), get)
  const shown = isCaseSensitive ? undefined : getter(rt, attribute, { other })
  chargeEntries(rt, 6 * found.length)
  return list(
    found.map(({ key, items }): Value => {
      const grouper = shown === undefined ? key : shown(items[0]!)
      return { kind: 'tuple', items: [grouper, list(items)], names: ['grouper', 'list'] }
    }),
  )
})

/** Filters that call other filters and tests, and the grouping filters. */
export const selectFilters = (environment: Environment): Filters => ({
  groupby: groupBy,
  map: mapWith(environment),
  reject: selection(environment, false, false),
  rejectattr: selection(environment, true, false),
  select: selection(environment, false, true),
  selectattr: selection(environment, true, true),
  unique,
})
