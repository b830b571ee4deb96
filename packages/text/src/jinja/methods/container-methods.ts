import { asInt } from '../arguments.js'
import { fail } from '../failure.js'
import { type Runtime, chargeEntries } from '../runtime.js'
import { dictOf, lookUp, pairsOf } from '../values/dict.js'
import { equals, isSame } from '../values/equality.js'
import { rangeItem } from '../values/iterate.js'
import { isIn } from '../values/sequence.js'
import type { Dict, List, Range, Tuple, Value, View } from '../values/value.js'
import { dictFromKeys } from './from-keys.js'
import { type Method, type Methods, method } from './method.js'

function countIn(rt: Runtime, items: readonly Value[], value: Value): number {
  rt.spend(items.length)
  return items.filter((item) => isSame(item, value) || equals(rt, item, value)).length
}

function indexIn(rt: Runtime, items: readonly Value[], [value, from, to]: readonly (Value | undefined)[]): number {
  const limit = (index: Value | undefined, other: number): number => {
    const at = index === undefined ? other : asInt(index)
    return at < 0 ? Math.max(0, at + items.length) : at
  }
  const end = Math.min(items.length, limit(to, items.length))
  for (let at = limit(from, 0); at < end; at++) {
    rt.spend(1)
    if (isSame(items[at]!, value!) || equals(rt, items[at]!, value!)) return at
  }
  return fail('ValueError', 'the value is not in the sequence')
}

const sequenceMethods: Methods<List | Tuple> = {
  count: method('value /', (rt, { items }, [value]) => countIn(rt, items, value!)),
  index: method('value start? stop? /', (rt, { items }, args) => indexIn(rt, items, args)),
}

/** Non-mutating methods of lists. */
export const listMethods: Methods<List> = {
  ...sequenceMethods,
  copy: method('/', (rt, { items }) => {
    chargeEntries(rt, items.length)
    return { kind: 'list', items }
  }),
}

/** Methods of tuples. */
export const tupleMethods: Methods<Tuple> = sequenceMethods

const view = (of: View['of']): Method<Dict> => method('/', (_, dict) => ({ kind: 'view', of, dict }))

/** Non-mutating methods of dicts. */
export const dictMethods: Methods<Dict> = {
  get: method('key default? /', (rt, dict, [key, other = null]) => {
    const found = lookUp(rt, dict, key!)
    return found === undefined ? other : found
  }),
  keys: view('keys'),
  values: view('values'),
  items: view('items'),
  copy: method('/', (rt, dict) => dictOf(rt, pairsOf(dict))),
  fromkeys: method('iterable value? /', (rt, _, [keys, value]) => dictFromKeys(rt, keys!, value ?? null)),
}

/** Methods of ranges. */
export const rangeMethods: Methods<Range> = {
  count: method('value /', (rt, range, [value]) => Number(isIn(rt, value!, range))),
  index: method('value /', (rt, range, [value]) => {
    if (!isIn(rt, value!, range)) fail('ValueError', 'the value is not in range')
    const first = rangeItem(range, 0)
    const number = typeof value === 'object' ? (value as { readonly value: number }).value : Number(value)
    return (number - first) / range.step
  }),
}
