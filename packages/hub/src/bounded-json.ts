import { parseJson } from '@attune/core'
import { HUB_LIMITS } from './limits.js'

/** Number of commas and opening brackets: one less than an upper bound on the number of values. */
function countValues(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 44 || unit === 91 || unit === 123) count++
  }
  return count
}

/**
 * Parses JSON from a server or a cache. Empty objects take many times the size of their text in memory, so values are
 * counted before they are created.
 * @throws SyntaxError for text that is not JSON, is nested too deeply, or has more than `HUB_LIMITS.jsonValues`
 * values
 */
export function parseBounded(text: string): unknown {
  if (countValues(text) > HUB_LIMITS.jsonValues)
    throw new SyntaxError(`it has more than ${HUB_LIMITS.jsonValues} values`)
  return parseJson(text)
}
