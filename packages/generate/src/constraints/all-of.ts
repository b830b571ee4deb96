import { AttuneError, type Budget } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { type ByteAutomaton, DEAD } from './byte-automaton.js'
import { constraintBudget, tooLarge } from './pattern-error.js'
import { UNKNOWN, stepTable } from './step-table.js'
import { type TokenConstraint, tokenConstraint } from './token-constraint.js'
import { tokenDistances } from './token-distances.js'
import type { Vocabulary } from './vocabulary.js'

/** With the transition table of its byte classes up to 100 MB. */
const MAX_PAIRS = 100_000
/** Every joined constraint adds one level to the call stack. */
const MAX_CONSTRAINTS = 64
/** Cost of a pair, in budget steps. */
const STEPS_PER_PAIR = 300

/** Byte classes that both automata respect: bytes that neither distinguishes share a class. */
function sharedClasses(a: ByteAutomaton, b: ByteAutomaton): Uint8Array {
  const names = new Map<number, number>()
  return a.classOf.map((first, byte) => {
    const name = first * 256 + b.classOf[byte]!
    const known = names.get(name) ?? names.size
    names.set(name, known)
    return known
  })
}

/** Product automaton: the intersection of two languages. Its states are pairs of states. */
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
    if (pairs.length >= MAX_PAIRS) throw tooLarge(`the joined constraints have more than ${MAX_PAIRS} states`)
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
  a === b ||
  (String(a.ends) === String(b.ends) &&
    a.texts.length === b.texts.length &&
    a.texts.every((text, id) => sameBytes(text, b.texts[id])))

const isOfTokens = (constraint: Constraint): constraint is TokenConstraint =>
  'automaton' in constraint && 'vocabulary' in constraint

/** Casts the constraints to automata over tokens. @throws AttuneError `BAD_ARGUMENT` */
function ofTokens(constraints: readonly Constraint[]): TokenConstraint[] {
  const known = constraints.filter(isOfTokens)
  if (known.length === constraints.length) return known
  throw new AttuneError(
    'BAD_ARGUMENT',
    'expected constraints made by @attune/generate, got another one',
    'Make each with constrainToPattern, constrainToSchema or requireKeywords.',
  )
}

/**
 * Intersection of several constraints of this package, for example a pattern and required keywords. The output always satisfies
 * all of them, even if few tokens remain.
 *
 * All reachable states are explored when the constraint is made, which takes a while if the constraints have many states.
 * @param constraints made with the same tokenizer and the same end-of-sequence tokens
 * @throws AttuneError `NOT_SPELLABLE` if no text satisfies all; `PATTERN_TOO_LARGE`; `BAD_ARGUMENT` for other kinds of constraints
 *
 * @example
 * ```ts
 * import { allOf, constrainToPattern, requireKeywords } from '@attune/generate'
 * import { tinyTokenizer } from '@attune/testkit/tiny'
 * const tokenizer = tinyTokenizer()
 * const ends = [tokenizer.special.end!]
 * const both = allOf([constrainToPattern('[a-z]{3}', tokenizer, ends), requireKeywords(['cat'], tokenizer, ends)])
 * const first = [...both.allowed(0, 20)].flatMap((allowed, id) => (allowed === 1 ? [tokenizer.token(id)] : []))
 * console.log(first.join('')) // c
 * ```
 */
export function allOf(constraints: readonly Constraint[]): Constraint {
  const parts = ofTokens(constraints)
  if (parts.length > MAX_CONSTRAINTS)
    throw tooLarge(`allOf joins at most ${MAX_CONSTRAINTS} constraints, got ${parts.length}`)
  const [first, ...others] = parts
  if (first === undefined || others.some(({ vocabulary }) => !sameVocabulary(vocabulary, first.vocabulary)))
    throw new AttuneError(
      'BAD_ARGUMENT',
      `expected one or more constraints of the same vocabulary, got ${parts.length} constraints`,
      'Make them with one tokenizer and the same `endIds`.',
    )
  if (others.length === 0) return first
  const budget = constraintBudget(0)
  const automaton = others.reduce<ByteAutomaton>((all, part) => product(all, part.automaton, budget), first.automaton)
  const distances = tokenDistances(automaton, [0], first.vocabulary.trie, budget)
  if (!distances.has(0))
    throw new AttuneError('NOT_SPELLABLE', 'no text satisfies all constraints together', 'Loosen one of them.')
  const left = (state: number): number => distances.get(state) ?? Infinity
  return tokenConstraint({ ...automaton, left }, first.vocabulary, [budget, ...parts.flatMap(({ budgets }) => budgets)])
}
