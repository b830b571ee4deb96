import type { Budget } from '@attune/core'
import type { Conjunct } from './conjunct.js'
import type { Spacing, Spelled } from './json-text.js'
import type { NormalForm } from './normal-form-types.js'
import type { Pattern } from './pattern.js'
import type { Fact, Term } from './terms.js'

/** Names of members that match the same patterns. */
export interface Region {
  readonly texts: Pattern
  /** The patterns that they match. */
  readonly matched: readonly string[]
}

/** Names that a schema of objects mentions. */
export interface NamedMembers {
  readonly names: ReadonlySet<string>
  readonly required: ReadonlySet<string>
  /** Members that may be present. */
  readonly present: readonly { readonly name: string; readonly schemas: readonly Conjunct[] }[]
}

/** Context of the conversion of a normal form to a pattern. */
export interface Parts {
  readonly spacing: Spacing
  readonly form: NormalForm
  readonly budget: Budget
  /** Pattern of the values that are valid under all conjuncts. */
  patternOf(conjuncts: readonly Conjunct[]): Pattern
  /** Pattern of the values of a term. */
  termOf(term: Term): Pattern
  /** Patterns that occur often, by name. */
  readonly texts: Map<string, Pattern>
  readonly spelled: Spelled
  /** Regions of names that no schema mentions, by names and patterns. */
  readonly regions: Map<string, readonly Region[]>
  readonly members: Map<readonly Fact<'object'>[], NamedMembers>
}

/** Memoizes a pattern by name. */
export function memoized({ texts }: Pick<Parts, 'texts'>, name: string, make: () => Pattern): Pattern {
  const pattern = texts.get(name) ?? make()
  texts.set(name, pattern)
  return pattern
}
