import { type Runtime, chargeText } from '../runtime.js'
import { pointsOf } from './points.js'

const CASED = /^\p{Cased}$/u
const CASE_IGNORABLE = /^\p{Case_Ignorable}$/u
const UPPER = /^\p{Uppercase}$/u
const LOWER = /^\p{Lowercase}$/u
const TITLE = /^\p{Lt}$/u

/** Digraph letters in upper, title and lower case. */
const DIGRAPHS = ['\u01c4\u01c5\u01c6', '\u01c7\u01c8\u01c9', '\u01ca\u01cb\u01cc', '\u01f1\u01f2\u01f3']

/** Title case of Greek letters with iota subscript, whose upper case has a separate iota. */
function iotaTitle(code: number, upper: string): string | undefined {
  if (code >= 0x1f80 && code <= 0x1faf) return String.fromCodePoint(code | 8)
  if (code < 0x1fb2 || code > 0x1ffc || !upper.endsWith('Ι') || upper.length < 2) return undefined
  const column = code & 0xf
  if (column === 3 || column === 0xc) return String.fromCodePoint((code & ~0xf) | 0xc)
  if (column === 7) return `${String.fromCodePoint((code & ~0xf) | 0xc)}\u0342`
  return `${upper.slice(0, -1)}\u0345`
}

/** Title case of a character, as in Python's `str.title`. */
function titleOf(character: string): string {
  const code = character.codePointAt(0)!
  if (code < 0x80) return character.toUpperCase()
  if (code >= 0x10d0 && code <= 0x10ff) return character
  const digraph = DIGRAPHS.find((each) => each.includes(character))
  if (digraph !== undefined) return digraph[1]!
  const upper = character.toUpperCase()
  if (code === 0x149) return upper
  const iota = iotaTitle(code, upper)
  if (iota !== undefined) return iota
  const first = String.fromCodePoint(upper.codePointAt(0)!)
  return first + upper.slice(first.length).toLowerCase()
}

/** True if the sigma at an index ends a word. */
function isFinalSigma(rt: Runtime, points: readonly string[], at: number): boolean {
  let [before, after] = [at - 1, at + 1]
  while (before >= 0 && CASE_IGNORABLE.test(points[before]!)) before--
  while (after < points.length && CASE_IGNORABLE.test(points[after]!)) after++
  rt.spend(8 * (after - before))
  return before >= 0 && CASED.test(points[before]!) && !(after < points.length && CASED.test(points[after]!))
}

const lowerAt = (rt: Runtime, points: readonly string[], at: number): string =>
  points[at] === 'Σ' ? (isFinalSigma(rt, points, at) ? 'ς' : 'σ') : points[at]!.toLowerCase()

function mapPoints(rt: Runtime, text: string, map: (points: readonly string[], at: number) => string): string {
  const points = pointsOf(rt, text)
  rt.spend(40 * points.length)
  rt.hold(48 * points.length)
  return points.map((_, at) => map(points, at)).join('')
}

/** Upper case of a text: `str.upper`. */
export function upper(rt: Runtime, text: string): string {
  chargeText(rt, 2 * text.length)
  return text.toUpperCase()
}

/** Lower case of a text: `str.lower`. */
export function lower(rt: Runtime, text: string): string {
  chargeText(rt, 2 * text.length)
  return text.toLowerCase()
}

/** Converts the first character to title case and the others to lower case: `str.capitalize`. */
export function capitalize(rt: Runtime, text: string): string {
  if (text === '') return ''
  const first = String.fromCodePoint(text.codePointAt(0)!)
  return titleOf(first) + lower(rt, text).slice(first.toLowerCase().length)
}

/** Converts the first character of each word to title case and the others to lower case: `str.title`. */
export const title = (rt: Runtime, text: string): string =>
  mapPoints(rt, text, (points, at) =>
    at > 0 && CASED.test(points[at - 1]!) ? lowerAt(rt, points, at) : titleOf(points[at]!),
  )

/** Swaps upper and lower case: `str.swapcase`. */
export const swapCase = (rt: Runtime, text: string): string =>
  mapPoints(rt, text, (points, at) => {
    const point = points[at]!
    return UPPER.test(point) ? lowerAt(rt, points, at) : LOWER.test(point) ? point.toUpperCase() : point
  })

function foldCharacter(character: string): string {
  const code = character.codePointAt(0)!
  if (code === 0x131 || (code >= 0x13a0 && code <= 0x13f5)) return character
  if (code >= 0x13f8 && code <= 0x13fd) return String.fromCodePoint(code - 8)
  if (code >= 0xab70 && code <= 0xabbf) return String.fromCodePoint(code - 0x97d0)
  return character.toLowerCase().toUpperCase().toLowerCase()
}

/** Folds case for caseless comparison: `str.casefold`. */
export const caseFold = (rt: Runtime, text: string): string =>
  mapPoints(rt, text, (points, at) => foldCharacter(points[at]!))

/** True if a text has upper-case letters and no other cased ones: `str.isupper`. */
export const isUpper = (points: readonly string[]): boolean =>
  points.some((each) => UPPER.test(each)) && !points.some((each) => LOWER.test(each) || TITLE.test(each))

/** True if a text has lower-case letters and no other cased ones: `str.islower`. */
export const isLower = (points: readonly string[]): boolean =>
  points.some((each) => LOWER.test(each)) && !points.some((each) => UPPER.test(each) || TITLE.test(each))

/** True if upper-case letters begin words and all others are lower case: `str.istitle`. */
export function isTitle(points: readonly string[]): boolean {
  let [wasCased, any] = [false, false]
  for (const point of points) {
    const isCapital = UPPER.test(point) || TITLE.test(point)
    if (isCapital ? wasCased : LOWER.test(point) && !wasCased) return false
    wasCased = isCapital || LOWER.test(point)
    any ||= wasCased
  }
  return any
}
