import { type AlignedText, sliceOf } from './aligned-text.js'
import type { Expression } from './linear-regex.js'

/** What becomes of what a text is cut at. */
export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'

interface Part {
  readonly start: number
  readonly end: number
  readonly match: boolean
}

/** The matches, and what stands between them. */
function partsOf(text: string, expression: Expression): Part[] {
  const parts: Part[] = []
  let end = 0
  for (const { index, 0: found } of expression.matchAll(text)) {
    if (found === '') continue
    if (index > end) parts.push({ start: end, end: index, match: false })
    end = index + found.length
    parts.push({ start: index, end, match: true })
  }
  if (end < text.length) parts.push({ start: end, end: text.length, match: false })
  return parts
}

/** Joins each part to the one before, where `joins` says so. */
function joined(parts: readonly Part[], joins: (part: Part, previous: Part) => boolean): Part[] {
  const result: Part[] = []
  for (const [i, part] of parts.entries()) {
    const last = i > 0 && joins(part, parts[i - 1]!) ? result.pop() : undefined
    result.push(last === undefined ? part : { ...part, start: last.start })
  }
  return result
}

/**
 * Cuts a text at the matches of an expression.
 * @param invert cut at what does not match instead
 */
export function split(
  given: AlignedText,
  expression: Expression,
  behavior: SplitBehavior,
  invert = false,
): AlignedText[] {
  const parts = partsOf(given.text, expression).map((part) => (invert ? { ...part, match: !part.match } : part))
  const kept = (): readonly Part[] => {
    switch (behavior) {
      case 'Isolated':
        return parts
      case 'Removed':
        return parts.filter(({ match }) => !match)
      case 'Contiguous':
        return joined(parts, (part, previous) => part.match === previous.match)
      case 'MergedWithPrevious':
        return joined(parts, (part, previous) => part.match && !previous.match)
      case 'MergedWithNext':
        return joined(parts, (part, previous) => !part.match && previous.match)
    }
  }
  return kept().map(({ start, end }) => sliceOf(given, start, end))
}
