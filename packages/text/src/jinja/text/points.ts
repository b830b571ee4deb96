import { type Runtime, charge, chargeText } from '../runtime.js'

const SURROGATE = /[\ud800-\udfff]/

/** True if a text has characters of two UTF-16 units, so its indices differ from Python's. */
export const isWide = (text: string): boolean => SURROGATE.test(text)

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000

/** Length of the character at an index: 1 or 2 units. */
export const widthAt = (text: string, at: number): 1 | 2 =>
  isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1)) ? 2 : 1

function countPoints(text: string, from: number, to: number): number {
  let count = 0
  for (let at = from; at < to; at += widthAt(text, at)) count++
  return count
}

/** Length of a text in code points, as Python counts. */
export function lengthOf(rt: Runtime, text: string): number {
  charge(rt, text)
  if (!isWide(text)) return text.length
  rt.spend(text.length)
  return countPoints(text, 0, text.length)
}

/** Code points of a text. */
export function pointsOf(rt: Runtime, text: string): readonly string[] {
  charge(rt, text)
  rt.spend(12 * text.length)
  rt.hold(40 * text.length)
  return Array.from(text)
}

/** Converts code point positions to UTF-16 indices and back. */
export interface Positions {
  /** Number of code points in the text. */
  readonly length: number
  readonly toUnits: (position: number) => number
  readonly toPoints: (index: number) => number
}

const SAME = (position: number): number => position

/** Positions in a text; free if every character is one unit. */
export function positionsIn(rt: Runtime, text: string): Positions {
  charge(rt, text)
  if (!isWide(text)) return { length: text.length, toUnits: SAME, toPoints: SAME }
  rt.spend(text.length)
  return {
    length: countPoints(text, 0, text.length),
    toUnits(position) {
      rt.spend(position)
      let at = 0
      for (let left = position; left > 0; left--) at += widthAt(text, at)
      return at
    },
    toPoints(index) {
      rt.spend(index)
      return countPoints(text, 0, index)
    },
  }
}

/** Slice of a text between two valid code point positions. */
export function slicePoints(rt: Runtime, text: string, from: number, to: number): string {
  const { toUnits } = positionsIn(rt, text)
  rt.hold(32)
  return from >= to ? '' : text.slice(toUnits(from), toUnits(to))
}

/** Repeats a text. */
export function repeat(rt: Runtime, text: string, count: number): string {
  if (count <= 0 || text === '') return ''
  chargeText(rt, text.length * count)
  return text.repeat(count)
}
