import { codePointSet } from './code-points.js'

/**
 * A member of a character set: a code point range, or the content of a character class of a JavaScript regular expression in
 * `v` mode.
 */
export type SetMember = readonly [from: number, to: number] | string

/** Characters in the union of the members, or in its complement. */
export interface CharacterSet {
  readonly members: readonly SetMember[]
  readonly negated: boolean
}

/** True if a code point is in a set. */
export type IsIn = (code: number) => boolean

/** Character sets of one tokenizer, which share cached properties such as `\p{L}`. */
export interface CharacterSets {
  make(set: CharacterSet): IsIn
  /** Number of property lookups that were not cached. */
  learned(): number
}

/** Properties and classes that a set refers to. */
export const classesOf = ({ members }: CharacterSet): ReadonlySet<string> =>
  new Set(members.filter((member) => typeof member === 'string'))

/** Bounds of sorted and merged ranges: alternating starts and exclusive ends. */
function boundsOf(ranges: readonly (readonly [from: number, to: number])[]): Int32Array {
  const bounds: number[] = []
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    if (bounds.length > 0 && from <= bounds.at(-1)!) bounds.push(Math.max(bounds.pop()!, to + 1))
    else bounds.push(from, to + 1)
  }
  return Int32Array.from(bounds)
}

/** True if a code point is in one of the ranges: an odd number of bounds is less than or equal to it. */
function inBounds(bounds: Int32Array, code: number): boolean {
  let [from, to] = [0, bounds.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (bounds[middle]! <= code) from = middle + 1
    else to = middle
  }
  return (from & 1) === 1
}

const ASCII = 0x80

/** Creates the character sets of one tokenizer. */
export function characterSets(): CharacterSets {
  const properties = new Map<string, IsIn>()
  let learned = 0
  const property = (inside: string): IsIn => {
    const known = properties.get(inside)
    if (known !== undefined) return known
    const expression = new RegExp(`^[${inside}]$`, 'v')
    const made = codePointSet((character) => {
      learned++
      return expression.test(character)
    })
    properties.set(inside, made)
    return made
  }
  const make = (set: CharacterSet): IsIn => {
    const { members, negated } = set
    const bounds = boundsOf(members.filter((member) => typeof member !== 'string'))
    const classes = [...classesOf(set)].map(property)
    const isIn = (code: number): boolean => (inBounds(bounds, code) || classes.some((has) => has(code))) !== negated
    const ascii = new Uint8Array(ASCII)
    return (code) => {
      if (code >= ASCII) return isIn(code)
      if (ascii[code] === 0) ascii[code] = isIn(code) ? 2 : 1
      return ascii[code] === 2
    }
  }
  return { make, learned: () => learned }
}
