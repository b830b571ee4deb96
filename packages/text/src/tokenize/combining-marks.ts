/** Marks of one canonical combining class other than 0. */
interface MarkClass {
  readonly sample: string
  /** Index among the classes that were met so far, in the order of the standard. */
  order: number
}

/** Characters and pairs that are remembered. */
const REMEMBERED = 2 ** 14

/** Marks with the lowest class but 0 and with the highest, which every other mark with a class is put after or before. */
const [LOWEST, HIGHEST] = ['\u0334', '\u0345']

/** True if the first of two marks is put after the second. */
const comesAfter = (first: string, second: string): boolean =>
  first !== second && (first + second).normalize('NFD') === second + first

/** Finds the class of a character that is decomposed: `undefined` for class 0, that of characters which stay in place. */
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

/** Puts each run of characters with a class in the order of their classes; those of one class stay in their order. */
function inCanonicalOrder(characters: readonly string[], classOf: ClassOf): string[] {
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

/** What two characters are composed to; `undefined` if they are not. */
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
function composed(characters: readonly string[], classOf: ClassOf, compose: ReturnType<typeof composer>): string {
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

/** Normalizes characters that were decomposed: NFC if they are to be composed again, else NFD (or NFKC and NFKD). */
export type MarkOrder = (decomposed: readonly string[], compose: boolean) => string

/**
 * Normalizes runs of combining marks of any length in time in proportion to n · log n, where `String.prototype.normalize`
 * takes n². What the order and the composition of marks are, it learns from `normalize` of two at a time.
 * Source: Unicode Standard Annex #15, sections 1.3 and 5; The Unicode Standard, section 3.11, D108 to D117.
 */
export function markOrder(): MarkOrder {
  const [classOf, compose] = [classFinder(), composer()]
  return (decomposed, isComposed) => {
    const ordered = inCanonicalOrder(decomposed, classOf)
    return isComposed ? composed(ordered, classOf, compose) : ordered.join('')
  }
}
