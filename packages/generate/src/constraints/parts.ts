import type { Budget } from '@attune/core'
import type { Conjunct } from './conjunct.js'
import type { Spacing, Spelled } from './json-text.js'
import type { NormalForm } from './normal-form-types.js'
import type { Pattern } from './pattern.js'
import type { Term } from './terms.js'

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
}

/** Memoizes a pattern by name. */
export function memoized({ texts }: Pick<Parts, 'texts'>, name: string, make: () => Pattern): Pattern {
  const pattern = texts.get(name) ?? make()
  texts.set(name, pattern)
  return pattern
}
