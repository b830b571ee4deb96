import type { Budget } from '@attune/core'
import type { Conjunct } from './conjunct.js'
import type { Narrowings } from './narrowings.js'
import type { Subschema } from './schema.js'
import type { Term, Terms } from './terms.js'

/** Context of the tests of listed values. */
export interface FactTests {
  /** True if a listed value is valid under all conjuncts. */
  isValid(value: unknown, conjuncts: readonly Conjunct[]): boolean
  /** True if a text matches a pattern anywhere. */
  matches(source: string, text: string): boolean
  /** True if a value is among those of a normal form. */
  holds(terms: Terms, value: unknown): boolean
}

/** Result of an attempt to prove that no value satisfies a term. */
export interface Impossibility {
  readonly isProved: boolean
  /** Depth at which the attempt started. */
  readonly depth: number
  /** True if it used normal forms that lack some values. */
  readonly isPartial: boolean
}

/** Conversion of schemas to their normal form. */
export interface NormalForm {
  readonly tests: FactTests
  readonly budget: Budget
  /** Counts the uses of normal forms that lack some values: they prove no two schemas disjoint. */
  readonly omissions: Omissions
  readonly impossible: Map<Term, Impossibility>
  readonly narrowed: Narrowings
  /** Normal form of the values that are valid under all conjuncts. */
  termsOf(conjuncts: readonly Conjunct[]): Terms
  /** Normal form of the values of both. */
  meet(a: Terms, b: Terms): Terms
  /** Normal form of the values of any of several normal forms. */
  union(all: readonly Terms[]): Terms
  resolve(reference: unknown, subschema: Subschema): Subschema
  /** Number of a conjunct: equal for equal schemas. */
  numberOf(conjunct: Conjunct): number
  /** Target of a schema that is only a reference; otherwise the schema itself. */
  settled(conjunct: Conjunct): Conjunct
}

/** Count of the uses of normal forms that lack some values. */
export interface Omissions {
  count(): number
  add(): void
}

/** Normal form of one keyword, or of several that depend on each other. */
export interface Keyword {
  readonly names: readonly string[]
  /** Values that satisfy it. */
  yes(conjunct: Conjunct, form: NormalForm): Terms
  /** Values that do not; `undefined` if they cannot be expressed. */
  no(conjunct: Conjunct, form: NormalForm): Terms | undefined
}
