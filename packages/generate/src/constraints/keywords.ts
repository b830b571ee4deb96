import { COMBINING } from './combining-keywords.js'
import { CONTAINERS } from './container-keywords.js'
import type { Keyword } from './normal-form-types.js'
import { SCALARS } from './scalar-keywords.js'

/** Keywords that limit values. All others are annotations. */
export const KEYWORDS: readonly Keyword[] = [...SCALARS, ...CONTAINERS, ...COMBINING]
