import { AttuneError, type Budget } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { type ByteAutomaton, DEAD } from './byte-automaton.js'
import { constraintBudget, tooLarge } from './pattern-error.js'
import { UNKNOWN, stepTable } from './step-table.js'
import { type TokenConstraint, tokenConstraint } from './token-constraint.js'
import { tokenDistances } from './token-distances.js'
import type { Vocabulary } from './vocabulary.js'

/** With a row of what each class of bytes leads to up to 100 MB. */
const MOST_PAIRS = 100_000
/** Each one that is joined is a call within the calls of the others. */
const MOST_JOINED = 64
/** What a pair costs, in steps of the budget. */
const STEPS_PER_PAIR = 300

/** Classes of bytes that neither of two automata tells apart. */
function sharedClasses(a: ByteAutomaton, b: ByteAutomaton): Uint8Array {
  const names = new Map<number, number>()
  return a.classOf.map((first, byte) => {
    const name = first * 256 + b.classOf[byte]!
    const known = names.get(name) ?? names.size
    names.set(name, known)
    return known
  })
}

/** The texts that two automata have in common: a state is a pair of theirs. */
function product(a: ByteAutomaton, b: ByteAutomaton, budget: Budget): ByteAutomaton {
  const pairs: (readonly [number, number])[] = []
  const classOf = sharedClasses(a, b)
  const columns = classOf.reduce((most, each) => Math.max(most, each), 0) + 1
  const { cells, addRow } = stepTable(columns)
  const numbers = new Map<number, Map<number, number>>()
  const numberOf = (x: number, y: number): number => {
    const row = numbers.get(x) ?? new Map<number, number>()
    numbers.set(x, row)
    const known = row.get(y)
    if (known !== undefined) return known
    if (pairs.length >= MOST_PAIRS) throw tooLarge(`these lead through more than ${MOST_PAIRS} states together`)
    budget.spend(STEPS_PER_PAIR)
    row.set(y, pairs.length)
    addRow()
    return pairs.push([x, y]) - 1
  }
  const compute = (state: number, byte: number): number => {
    budget.spend(10)
    const [x, y] = pairs[state]!
    const first = a.next(x, byte)
    const second = first === DEAD ? DEAD : b.next(y, byte)
    const to = second === DEAD ? DEAD : numberOf(first, second)
    table = cells()
    return (table[state * columns + classOf[byte]!] = to)
  }
  numberOf(0, 0)
  let table = cells()
  return {
    classOf,
    next(state, byte) {
      const known = table[state * columns + classOf[byte]!]!
      return known === UNKNOWN ? compute(state, byte) : known
    },
    accepts(state) {
      const [x, y] = pairs[state]!
      return a.accepts(x) && b.accepts(y)
    },
  }
}

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a?.length === b?.length && (a?.every((byte, i) => byte === b![i]) ?? true)

const sameVocabulary = (a: Vocabulary, b: Vocabulary): boolean =>
  String(a.ends) === String(b.ends) &&
  a.texts.length === b.texts.length &&
  a.texts.every((text, id) => sameBytes(text, b.texts[id]))

const isOfTokens = (constraint: Constraint): constraint is TokenConstraint =>
  'automaton' in constraint && 'vocabulary' in constraint

/** The constraints as automata over tokens. @throws AttuneError `BAD_ARGUMENT` */
function ofTokens(constraints: readonly Constraint[]): TokenConstraint[] {
  const known = constraints.filter(isOfTokens)
  if (known.length === constraints.length) return known
  throw new AttuneError(
    'BAD_ARGUMENT',
    'constraints that are joined must be automata of this package, and one is not',
    'Make it with constrainToPattern, constrainToSchema or requireKeywords.',
  )
}

/**
 * The constraint that what is written keeps to several of this package at once: a pattern, say, and words that must be there.
 * It knows their common endings: what is written under it always fulfils all of them, also where the room is short.
 *
 * All states that writing can lead to are looked through beforehand, which takes a while where each of the constraints has many.
 * @param constraints of one tokenizer, with the same tokens that end a text
 * @throws AttuneError `NOT_SPELLABLE` if no text fulfils all; `PATTERN_TOO_LARGE`; `BAD_ARGUMENT` for constraints of another kind
 */
export function allOf(constraints: readonly Constraint[]): Constraint {
  const parts = ofTokens(constraints)
  if (parts.length > MOST_JOINED) throw tooLarge(`${parts.length} of them are joined, more than ${MOST_JOINED}`)
  const [first, ...others] = parts
  if (first === undefined || others.some(({ vocabulary }) => !sameVocabulary(vocabulary, first.vocabulary)))
    throw new AttuneError(
      'BAD_ARGUMENT',
      `constraints that are joined must be at least one and have the same tokens, got ${parts.length} of them`,
      'Make them with one tokenizer and the same `endIds`.',
    )
  if (others.length === 0) return first
  const budget = constraintBudget(0)
  const automaton = others.reduce<ByteAutomaton>((all, part) => product(all, part.automaton, budget), first.automaton)
  const distances = tokenDistances(automaton, [0], first.vocabulary.trie, budget)
  if (!distances.has(0))
    throw new AttuneError(
      'NOT_SPELLABLE',
      'some text must fulfil all constraints together, and none does',
      'Loosen one of them.',
    )
  const left = (state: number): number => distances.get(state) ?? Infinity
  return tokenConstraint({ ...automaton, left }, first.vocabulary, [budget, ...parts.flatMap(({ budgets }) => budgets)])
}
