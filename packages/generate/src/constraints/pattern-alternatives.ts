import { type Pattern, sequenceOf } from './pattern.js'

/** One alternative of a pattern or a group. */
export interface Alternative {
  readonly pattern: Pattern
  /** True if it starts with `^`. */
  readonly fromStart: boolean
  /** True if it ends with `$`. */
  readonly toEnd: boolean
}

/** A part of an alternative; a group also has alternatives, which may be anchored. */
interface Part {
  readonly pattern: Pattern
  readonly alternatives?: readonly Alternative[]
}

const isAnchored = ({ fromStart, toEnd }: Alternative): boolean => fromStart || toEnd

/**
 * Joins parts into alternatives. A group with anchors, such as `(^a|b)c`, may come first or last and divides the whole into its
 * alternatives.
 * @param refuse creates the error for an anchor elsewhere
 */
export function joined(
  parts: readonly Part[],
  { fromStart, toEnd }: Omit<Alternative, 'pattern'>,
  refuse: () => Error,
): readonly Alternative[] {
  const last = parts.length - 1
  const waysOf = ({ pattern, alternatives }: Part, index: number): readonly Alternative[] => {
    if (alternatives?.some(isAnchored) !== true) return [{ pattern, fromStart: false, toEnd: false }]
    if (alternatives.some((each) => (each.fromStart && index > 0) || (each.toEnd && index < last))) throw refuse()
    return alternatives
  }
  const ways = parts.map(waysOf)
  const middle = ways.slice(1, -1).map(([way]) => way!.pattern)
  if (ways.length === 0) return [{ pattern: sequenceOf([]), fromStart, toEnd }]
  if (ways.length === 1)
    return ways[0]!.map((each) => ({
      pattern: each.pattern,
      fromStart: fromStart || each.fromStart,
      toEnd: toEnd || each.toEnd,
    }))
  return ways[0]!.flatMap((first) =>
    ways[last]!.map((end) => ({
      pattern: sequenceOf([first.pattern, ...middle, end.pattern]),
      fromStart: fromStart || first.fromStart,
      toEnd: toEnd || end.toEnd,
    })),
  )
}
