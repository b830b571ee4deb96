import type { Conjunct } from './conjunct.js'
import { distinctItems } from './distinct-items.js'
import { itemOf } from './impossible.js'
import { countsIn } from './facts.js'
import type { Parts } from './parts.js'
import { EMPTY, NOTHING, type Pattern, choice, literal, optional, repeat, sequence } from './pattern.js'
import { badSchema } from './schema.js'
import type { Fact } from './terms.js'

interface Plan {
  readonly facts: readonly Fact<'array'>[]
  readonly min: number
  readonly max: number
  /** Number of items before all others have one schema. */
  readonly settled: number
  readonly wanted: Conjunct | undefined
}

/** Items from each index on, by whether the wanted item is still missing: built from the end. */
function itemChain({ facts, min, max, settled, wanted }: Plan, { patternOf, spacing }: Parts): Pattern {
  const item = (index: number, hit: boolean): Pattern =>
    patternOf([...itemOf(facts, index), ...(hit && wanted !== undefined ? [wanted] : [])])
  const comma = literal(spacing.comma)
  const count = max < Infinity ? max : Math.max(min, settled)
  const separated = (index: number, part: Pattern): Pattern => (index === 0 ? part : sequence(comma, part))
  const tail = (missing: boolean): Pattern => {
    if (max < Infinity) return missing ? NOTHING : EMPTY
    const more = repeat(sequence(comma, item(count, false)), 0, Infinity)
    if (count > 0) return missing ? sequence(more, comma, item(count, true), more) : more
    const some = optional(sequence(item(0, false), more))
    if (!missing) return some
    return sequence(optional(sequence(item(0, false), more, comma)), item(0, true), more)
  }
  let [found, missing] = [tail(false), wanted === undefined ? NOTHING : tail(true)]
  for (let index = count - 1; index >= 0; index--) {
    const other = separated(index, item(index, false))
    const hit = wanted === undefined ? NOTHING : separated(index, item(index, true))
    const longer = sequence(other, found)
    const before = missing
    missing = wanted === undefined ? NOTHING : choice(sequence(hit, found), sequence(other, before))
    found = index >= min ? choice(longer, EMPTY) : longer
  }
  return wanted === undefined ? found : missing
}

/** Largest number of items with a state of their own. */
const MAX_CHAIN = 20_000

/** Pattern of the arrays for which all facts hold. */
export function arrayValues(facts: readonly Fact<'array'>[], parts: Parts): Pattern {
  const { budget, patternOf, spacing } = parts
  const [min, most] = countsIn(facts, 'minItems', 'maxItems')
  const prefix = facts.reduce(
    (length, fact) => Math.max(length, fact.name === 'items' ? fact.value.prefix.length : 0),
    0,
  )
  // Items after a tuple are generated only if the schema describes them, or requires them.
  const isClosed = prefix > 0 && facts.every((fact) => fact.name !== 'items' || fact.value.rest === undefined)
  const { narrowed } = parts.form
  const { at } = facts[0] ?? { at: '#' }
  if (isClosed && most > prefix)
    narrowed.note('items', at, 'items after a tuple are generated only if the schema describes them')
  const max = isClosed ? Math.min(most, Math.max(prefix, min)) : most
  if (min > max) return NOTHING
  const wanted = facts.flatMap((fact) => (fact.name === 'contains' ? [fact] : []))
  if (wanted.length > 1)
    throw badSchema('the keyword contains is supported only once for an array', wanted[1]!.at, 'Remove one.')
  if (max > 1 && facts.some(({ name }) => name === 'uniqueItems')) return distinctItems(facts, [min, max], parts)
  if (max === 0) return wanted.length > 0 ? NOTHING : literal('[]')
  const settled = prefix
  if (prefix > 0 || wanted.length > 0) {
    const count = max < Infinity ? max : Math.max(min, settled)
    budget.spend(count > MAX_CHAIN ? Infinity : 1000 * count)
    return sequence(
      literal('['),
      itemChain({ facts, min, max, settled, wanted: wanted[0]?.value }, parts),
      literal(']'),
    )
  }
  const item = patternOf(itemOf(facts, 0))
  const more = repeat(sequence(literal(spacing.comma), item), Math.max(min - 1, 0), max - 1)
  const filled = sequence(item, more)
  return sequence(literal('['), min === 0 ? optional(filled) : filled, literal(']'))
}
