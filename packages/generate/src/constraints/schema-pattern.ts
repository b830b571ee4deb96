import type { Budget } from '@attune/core'
import { arrayValues } from './array-values.js'
import { type Conjunct, conjunctOf } from './conjunct.js'
import { type Spacing, jsonText } from './json-text.js'
import type { Documents } from './references.js'
import { stringValues } from './json-strings.js'
import { type Narrowings, narrowings } from './narrowings.js'
import { normalForm } from './normal-form.js'
import { numberValues } from './number-values.js'
import { objectValues } from './object-values.js'
import { NOTHING, type Pattern, choiceOf, literal } from './pattern.js'
import type { Parts } from './parts.js'
import { type Schema, badSchema } from './schema.js'
import type { Term, ValuesTerm } from './terms.js'

/** Options of {@link constrainToSchema}. */
export interface SchemaOptions {
  /** True for one space after each colon and comma. Default: no white space. */
  readonly spaces?: boolean
  /** Maximum number of times a definition may occur within itself. Default: 2. 0 rejects recursive schemas. */
  readonly recursionDepth?: number
  /** Other documents that the schema refers to, by URI or by a path relative to its `$id`. Their own `$id`s are found too. */
  readonly documents?: Documents
}

const MAX_DEPTH = 200
/** Cost of a subschema without its texts, in steps and bytes of the budget. */
const [STEPS_PER_PART, BYTES_PER_PART] = [500, 800]
const RECURSION_DEPTH = 2

function listedValues({ values }: ValuesTerm, { spacing, budget }: Parts): Pattern {
  return choiceOf(
    values.map((value) => {
      const text = jsonText(value, spacing)
      budget.spend(100 + 10 * text.length)
      budget.hold(200 + 2 * text.length)
      return literal(text)
    }),
  )
}

function termValues(term: Term, parts: Parts): Pattern {
  if (term.kind === 'values') return listedValues(term, parts)
  if (term.kind === 'number') return numberValues(term.facts, parts)
  if (term.kind === 'string') return stringValues(term.facts, parts)
  return term.kind === 'array' ? arrayValues(term.facts, parts) : objectValues(term.facts, parts)
}

/** Limits of recursion. */
interface Recursion {
  /** Names of schemas that occur within themselves, found so far. */
  readonly heads: Set<string>
  readonly depth: number
  /** Levels of arrays and objects in a value that no schema describes. */
  readonly freeDepth: number
}

/** Name of the schema without keywords. */
const FREE = ''

/** Name of a set of conjuncts: equal for equal schemas. */
function nameOf(conjuncts: readonly Conjunct[], { numberOf }: Parts['form']): string {
  const numbers = new Set(conjuncts.map(numberOf))
  numbers.delete(numberOf(conjunctOf(true, '')))
  return [...numbers].sort((a, b) => a - b).join()
}

/** Counts the recursive schemas and the schemas without keywords that are open, and refuses those that are too deep. */
function depthCounter({ heads, depth, freeDepth }: Recursion) {
  let [left, free] = [depth + 1, freeDepth + 1]
  return {
    isAllowed: (name: string): boolean => (name === FREE ? free > 0 : !heads.has(name) || left > 0),
    /** Adds to the count. Returns the name of the schema at its depth. */
    enter(name: string): string {
      if (name === FREE) free--
      else if (heads.has(name)) left--
      return `${name}|${left}|${free}`
    },
    leave(name: string): void {
      if (name === FREE) free++
      else if (heads.has(name)) left++
    },
  }
}

/** Notes that values without a schema are generated only up to a depth. */
const depthNote =
  ({ narrowed }: Parts['form'], freeDepth: number) =>
  (given: readonly Conjunct[]): Pattern => {
    narrowed.note('type', given[0]?.at ?? '#', `values without a schema have at most ${freeDepth} levels`)
    return NOTHING
  }

/** Converts conjuncts to patterns, each built once for each number of recursive schemas that it is nested in. */
function converter(parts: Omit<Parts, 'patternOf' | 'termOf'>, recursion: Recursion) {
  const { form, budget } = parts
  const { heads, depth } = recursion
  const tooDeep = depthNote(form, recursion.freeDepth)
  const known = new Map<string, Pattern>()
  const { isAllowed, enter, leave } = depthCounter(recursion)
  let [open, nested] = [new Set<string>(), 0]
  const build = (conjuncts: readonly Conjunct[]): Pattern => {
    budget.spend(STEPS_PER_PART)
    budget.hold(BYTES_PER_PART)
    if (++nested > MAX_DEPTH)
      throw badSchema(`schemas may be nested at most ${MAX_DEPTH} deep`, conjuncts[0]?.at ?? '#', 'Flatten it.')
    const pattern = choiceOf(form.termsOf(conjuncts).map(own.termOf))
    nested--
    return pattern
  }
  const patternOf = (given: readonly Conjunct[]): Pattern => {
    const conjuncts = given.map(form.settled)
    const name = nameOf(conjuncts, form)
    if (!isAllowed(name)) return name === FREE ? tooDeep(given) : NOTHING
    const isCounted = name === FREE || heads.has(name)
    if (!isCounted && open.has(name)) {
      if (depth === 0)
        throw badSchema('the schema is recursive', conjuncts[0]!.at, 'Limit the depth: `{ recursionDepth: 3 }`.')
      heads.add(name)
      form.narrowed.note('$ref', conjuncts[0]!.at, `a definition occurs within itself at most ${depth} times`)
      return NOTHING
    }
    const outer = open
    // Cycles through a counted schema are bounded: only those that avoid it count.
    open = isCounted ? new Set() : new Set(open).add(name)
    const key = enter(name)
    const pattern = known.get(key) ?? build(conjuncts)
    known.set(key, pattern)
    leave(name)
    open = outer
    return pattern
  }
  const own: Parts = { ...parts, patternOf, termOf: (term) => termValues(term, own) }
  return patternOf
}

/**
 * Pattern of the JSON texts valid under a schema, in one spelling: that of `JSON.stringify` with the given spacing, with the
 * properties in the schema's order.
 * @throws AttuneError `BAD_SCHEMA`, `BAD_PATTERN`, `PATTERN_TOO_LARGE`
 */
export function schemaPattern(
  root: Schema,
  { spaces = false, recursionDepth = RECURSION_DEPTH, documents = {} }: SchemaOptions,
  budget: Budget,
  freeDepth = 2,
  narrowed: Narrowings = narrowings(),
): Pattern {
  const spacing: Spacing = spaces ? { comma: ', ', colon: ': ' } : { comma: ',', colon: ':' }
  const form = normalForm(root, budget, narrowed, documents)
  const parts = { spacing, form, budget, texts: new Map(), spelled: new Map(), regions: new Map(), members: new Map() }
  const heads = new Set<string>()
  // Schemas that occur within themselves are found by converting until no further one is found.
  for (;;) {
    const found = heads.size
    const pattern = converter(parts, { heads, depth: recursionDepth, freeDepth })([conjunctOf(root, '#')])
    if (heads.size === found) return pattern
  }
}
