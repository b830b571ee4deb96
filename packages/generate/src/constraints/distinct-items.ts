import { intersection, complement } from './character-set.js'
import { itemOf } from './impossible.js'
import { jsonString, jsonText } from './json-text.js'
import { textsOf } from './json-strings.js'
import { numberValues } from './number-values.js'
import type { Parts } from './parts.js'
import {
  EMPTY,
  NOTHING,
  type MachineEdge,
  type Pattern,
  type Span,
  choice,
  choiceOf,
  literal,
  sequence,
  set,
} from './pattern.js'
import { badSchema } from './schema.js'
import type { Fact, Term, Terms } from './terms.js'
import { intersectTexts } from './text-intersection.js'

/** Listed items up to this number may come in any order. */
const ANY_ORDER = 6

/** Distinct items in any order: a state for each set of items. */
function anyOrder(items: readonly Pattern[], [min, max]: readonly [number, number], comma: string): Pattern {
  const size = 2 ** items.length
  const edges: MachineEdge[] = []
  const accepting: boolean[] = []
  for (let taken = 0; taken < size; taken++) {
    const count = items.filter((_, i) => (taken >> i) & 1).length
    accepting.push(count >= min)
    if (count >= max) continue
    items.forEach((item, i) => {
      if ((taken >> i) & 1) return
      const part = taken === 0 ? item : sequence(literal(comma), item)
      edges.push({ from: taken, part, to: taken | (1 << i) })
    })
  }
  return { kind: 'machine', size, edges, accepting }
}

/** Distinct items in their order: a state for each item and count. */
function inOrder(items: readonly Pattern[], [min, max]: readonly [number, number], comma: string): Pattern {
  const counted = max < Infinity ? Math.min(max, items.length) : Math.max(min, 1)
  let after: Pattern[] = Array.from({ length: counted + 1 }, (_, count) => (count >= min ? EMPTY : NOTHING))
  for (const item of items.toReversed()) {
    const rest = after
    after = rest.map((own, count) => {
      if (count >= max) return own
      const next = rest[Math.min(count + 1, counted)]!
      return choice(sequence(count === 0 ? EMPTY : literal(comma), item, next), own)
    })
  }
  return after[0]!
}

const LETTERS = 26
const DIGIT_SPANS: readonly Span[][] = Array.from({ length: 10 }, (_, i) => [[0x30 + i, 0x30 + i]])
const LETTER_SPANS: readonly Span[][] = Array.from({ length: LETTERS }, (_, i) => [
  [0x41 + i, 0x41 + i],
  [0x61 + i, 0x61 + i],
])
/** Groups of first characters: each digit, each letter in either case, and all others. */
const INITIALS: readonly (readonly Span[])[] = [
  ...DIGIT_SPANS,
  ...LETTER_SPANS,
  complement([...DIGIT_SPANS, ...LETTER_SPANS].flat()),
]

/** Texts of a pattern, divided by their first character; texts of different groups differ. */
function byInitial(texts: Pattern, parts: Parts): Pattern[] {
  const { budget } = parts
  const all = intersectTexts([{ pattern: texts, negated: false }], { min: 0, max: Infinity }, budget)
  if (all.kind !== 'machine') return []
  const rest = all.edges.map(({ from, part, to }) => ({ from: from + 1, part, to: to + 1 }))
  const groups = INITIALS.map((initials): Pattern => {
    const first = all.edges.flatMap(({ from, part, to }): MachineEdge[] => {
      const spans = from === 0 && part.kind === 'set' ? intersection(part.spans, initials) : []
      return spans.length === 0 ? [] : [{ from: 0, part: set(spans), to: to + 1 }]
    })
    budget.spend(100 * all.edges.length)
    budget.hold(100 * all.edges.length)
    return first.length === 0
      ? NOTHING
      : { kind: 'machine', size: all.size + 1, edges: [...first, ...rest], accepting: [false, ...all.accepting] }
  })
  return [...(all.accepting[0] === true ? [EMPTY] : []), ...groups.filter((group) => group !== NOTHING)]
}

const isInteger = (term: Term): boolean => term.kind === 'number' && term.facts.some(({ name }) => name === 'integer')

/** Divides the items of a normal form into patterns that have no value in common. */
function apart(terms: Terms, parts: Parts): Pattern[] {
  const { form, spacing, spelled } = parts
  const others = terms.filter(({ kind }) => kind !== 'values')
  const listed = terms
    .flatMap((term) => (term.kind === 'values' ? term.values : []))
    .filter((value) => !form.tests.holds(others, value))
    .map((value) => literal(jsonText(value, spacing)))
  const strings = others.flatMap((term) => (term.kind === 'string' ? [textsOf(term.facts, parts)] : []))
  const numbers = others.flatMap((term) => (term.kind === 'number' ? [numberValues(term.facts, parts)] : []))
  // Integers have one spelling. Other numbers may have several.
  const integers = others.every((term) => term.kind !== 'number' || isInteger(term))
  const containers = (['array', 'object'] as const).map((kind) =>
    choiceOf(others.filter((term) => term.kind === kind).map((term) => parts.termOf(term))),
  )
  return [
    ...listed,
    ...(strings.length > 0 ? byInitial(choiceOf(strings), parts).map((texts) => jsonString(texts, spelled)) : []),
    ...(integers && numbers.length > 0 ? byInitial(choiceOf(numbers), parts) : [choiceOf(numbers)]),
    ...containers,
  ].filter((pattern) => pattern.kind !== 'choice' || pattern.parts.length > 0)
}

/**
 * Arrays of distinct items. Up to six listed items may come in any order. Otherwise items have different first characters, in
 * ascending order, and at most one is an array, one an object and one a number with a fraction: a finite automaton cannot
 * remember all items.
 */
export function distinctItems(
  facts: readonly Fact<'array'>[],
  limits: readonly [min: number, max: number],
  parts: Parts,
): Pattern {
  const { form, spacing, budget } = parts
  const at = facts.find(({ name }) => name === 'uniqueItems')?.at ?? '#'
  if (facts.some((fact) => fact.name === 'contains' || (fact.name === 'items' && fact.value.prefix.length > 0)))
    throw badSchema(
      'the keyword uniqueItems is not supported together with contains or tuples',
      at,
      'Remove it and validate the value afterwards.',
    )
  const terms = form.termsOf(itemOf(facts, 0))
  const isListed = terms.every(({ kind }) => kind === 'values')
  const items = apart(terms, parts)
  const [min, max] = limits
  if (min > items.length && !isListed)
    throw badSchema(
      `uniqueItems of items that are not listed allows at most ${items.length} items, got minItems ${min}`,
      at,
      'List the items in `enum`, or remove it and validate the value afterwards.',
    )
  budget.spend(200 * items.length * (1 + (max < Infinity ? Math.min(max, items.length) : Math.max(min, 1))))
  const own = items.length <= ANY_ORDER ? anyOrder : inOrder
  if (!isListed)
    form.narrowed.note(
      'uniqueItems',
      at,
      'items have different first characters, in ascending order, with at most one array, one object and one fraction',
    )
  else if (items.length > ANY_ORDER)
    form.narrowed.note('uniqueItems', at, 'listed items come in the order of the schema')
  return sequence(literal('['), own(items, limits, spacing.comma), literal(']'))
}
