import type { Conjunct } from './conjunct.js'
import { COMBINING } from './combining-keywords.js'
import { CONTAINERS } from './container-keywords.js'
import type { NormalForm } from './normal-form.js'
import { SCALARS } from './scalar-keywords.js'
import type { Terms } from './terms.js'

/** Normal form of one keyword, or of several that depend on each other. */
export interface Keyword {
  readonly names: readonly string[]
  /** Values that satisfy it. */
  yes(conjunct: Conjunct, form: NormalForm): Terms
  /** Values that do not; `undefined` if they cannot be expressed. */
  no(conjunct: Conjunct, form: NormalForm): Terms | undefined
}

/** Keywords that limit values. All others are annotations. */
export const KEYWORDS: readonly Keyword[] = [...SCALARS, ...CONTAINERS, ...COMBINING]
