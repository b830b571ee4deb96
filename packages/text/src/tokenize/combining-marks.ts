/** A canonical combining class other than 0. */
interface MarkClass {
  readonly sample: string
  /** Index among the classes seen so far, in the order of the standard. */
  order: number
}

/** Number of cached characters and pairs. */
const REMEMBERED = 2 ** 14

/** Marks with the lowest combining class above 0 and with the highest. */
const [LOWEST, HIGHEST] = ['\u0334', '\u0345']

/** True if canonical ordering puts the first of two marks after the second. */
const comesAfter = (first: string, second: string): boolean =>
  first !== second && (first + second).normalize('NFD') === second + first

/** Creates a lookup of the combining class of a decomposed character: `undefined` for class 0, whose characters stay in place. */
function classFinder(): (character: string) => MarkClass | undefined {
  const known = new Map<string, MarkClass | undefined>()
  const classes: MarkClass[] = []
  const find = (mark: string): MarkClass | undefined => {
    if (!comesAfter(mark, LOWEST) && !comesAfter(HIGHEST, mark)) return undefined
    let [from, to] = [0, classes.length]
    while (from < to) {
      const middle = (from + to) >> 1
      const { sample } = classes[middle]!
      if (sample === mark || !(comesAfter(mark, sample) || comesAfter(sample, mark))) return classes[middle]!
      if (comesAfter(mark, sample)) from = middle + 1
      else to = middle
    }
    const made: MarkClass = { sample: mark, order: from }
    classes.splice(from, 0, made)
    for (const [order, each] of classes.entries()) each.order = order
    return made
  }
  return (character) => {
    if (known.has(character)) return known.get(character)
    if (known.size >= REMEMBERED) known.clear()
    const found = find(character)
    known.set(character, found)
    return found
  }
}

type ClassOf = ReturnType<typeof classFinder>

/** Sorts each run of characters with a class by their classes; the sort is stable. */
function canonicalOrder(characters: readonly string[], classOf: ClassOf): string[] {
  const result: string[] = []
  let run: (readonly [mark: string, of: MarkClass])[] = []
  const flush = (): void => {
    for (const [mark] of run.sort(([, a], [, b]) => a.order - b.order)) result.push(mark)
    run = []
  }
  for (const character of characters) {
    const of = classOf(character)
    if (of !== undefined) run.push([character, of])
    else {
      flush()
      result.push(character)
    }
  }
  flush()
  return result
}

/** Creates a lookup of the composition of two characters; `undefined` if they do not compose. */
function composer(): (first: string, second: string) => string | undefined {
  const known = new Map<string, string | undefined>()
  return (first, second) => {
    const pair = first + second
    if (known.has(pair)) return known.get(pair)
    if (known.size >= REMEMBERED) known.clear()
    const made = pair.normalize('NFC')
    const found = made.length === (made.codePointAt(0)! > 0xffff ? 2 : 1) ? made : undefined
    known.set(pair, found)
    return found
  }
}

/** The canonical composition of characters in canonical order. */
function composeCharacters(
  characters: readonly string[],
  classOf: ClassOf,
  compose: ReturnType<typeof composer>,
): string {
  const result: string[] = []
  let starter = -1
  // Class of the last character that was not composed: 0 right after the starter.
  let last = 0
  for (const character of characters) {
    const order = (classOf(character)?.order ?? -1) + 1
    const isFree = starter >= 0 && (last === 0 || last < order)
    const made = isFree ? compose(result[starter]!, character) : undefined
    if (made !== undefined) {
      result[starter] = made
      continue
    }
    if (order === 0) starter = result.length
    last = order
    result.push(character)
  }
  return result.join('')
}

/** Normalizes decomposed characters: to NFC if `compose`, else to NFD (or NFKC and NFKD). */
export type MarkNormalizer = (decomposed: readonly string[], compose: boolean) => string

/**
 * Normalizes runs of combining marks of any length in O(n · log n), where `String.prototype.normalize` takes O(n²). Derives the
 * order and the composition of marks from `normalize` of two characters at a time.
 * Source: Unicode Standard Annex #15, sections 1.3 and 5; The Unicode Standard, section 3.11, D108 to D117.
 */
export function markNormalizer(): MarkNormalizer {
  const [classOf, compose] = [classFinder(), composer()]
  return (decomposed, isComposed) => {
    const ordered = canonicalOrder(decomposed, classOf)
    return isComposed ? composeCharacters(ordered, classOf, compose) : ordered.join('')
  }
}
