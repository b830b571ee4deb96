import { codePointSet } from './code-points.js'

/**
 * A piece of a set of characters: the code points from one to another, or the inside of a class of a regular expression in
 * JavaScript's `v` mode.
 */
export type SetPiece = readonly [from: number, to: number] | string

/** Characters that are in one of some pieces, or in none. */
export interface CharacterSet {
  readonly pieces: readonly SetPiece[]
  readonly negated: boolean
}

/** True if a code point is in a set. */
export type IsIn = (code: number) => boolean

/** The sets of one tokenizer. They share what they learn of properties such as `\p{L}`. */
export interface CharacterSets {
  make(set: CharacterSet): IsIn
  /** Times that a property of a character was looked up for the first time. */
  learned(): number
}

/** Properties and classes that a set asks for. */
export const classesOf = ({ pieces }: CharacterSet): ReadonlySet<string> =>
  new Set(pieces.filter((piece) => typeof piece === 'string'))

/** Ranges in order, joined where they touch: starts and ends in turns, the ends excluded. */
function boundsOf(ranges: readonly (readonly [from: number, to: number])[]): Int32Array {
  const bounds: number[] = []
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    if (bounds.length > 0 && from <= bounds.at(-1)!) bounds.push(Math.max(bounds.pop()!, to + 1))
    else bounds.push(from, to + 1)
  }
  return Int32Array.from(bounds)
}

/** True if a code point is in ranges: an odd number of bounds is not above it. */
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

/** Makes the sets of one tokenizer. */
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
    const { pieces, negated } = set
    const bounds = boundsOf(pieces.filter((piece) => typeof piece !== 'string'))
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
