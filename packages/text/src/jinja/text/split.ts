import { fail } from '../failure.js'
import { type Runtime, charge, chargeEntries } from '../runtime.js'
import { isSpace, skipSpaces } from './characters.js'
import { finder } from './search.js'

/** Charges for a part of a split text. */
const chargePart = (rt: Runtime): void => {
  rt.spend(6)
  rt.hold(48)
}

/** Splits a text at whitespace, at most `most` times: `str.split()`. */
export function splitWords(rt: Runtime, text: string, most: number): readonly string[] {
  charge(rt, text)
  rt.spend(text.length)
  const words: string[] = []
  let at = skipSpaces(text, 0)
  while (at < text.length && (most < 0 || words.length < most)) {
    let end = at
    while (end < text.length && !isSpace(text.charCodeAt(end))) end++
    chargePart(rt)
    words.push(text.slice(at, end))
    at = skipSpaces(text, end)
  }
  return at < text.length ? [...words, text.slice(at)] : words
}

/** Splits a text at whitespace from the right: `str.rsplit()`. */
export function splitWordsFromRight(rt: Runtime, text: string, most: number): readonly string[] {
  charge(rt, text)
  rt.spend(text.length)
  const words: string[] = []
  const skipBack = (from: number): number => {
    let end = from
    while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--
    return end
  }
  let end = skipBack(text.length)
  while (end > 0 && (most < 0 || words.length < most)) {
    let start = end
    while (start > 0 && !isSpace(text.charCodeAt(start - 1))) start--
    chargePart(rt)
    words.push(text.slice(start, end))
    end = skipBack(start)
  }
  if (end > 0) words.push(text.slice(0, end))
  return words.reverse()
}

/** Start indices of non-overlapping occurrences of a separator, from the left. */
function startsOf(rt: Runtime, text: string, separator: string, most: number): readonly number[] {
  charge(rt, text)
  const find = finder(rt, separator)
  const starts: number[] = []
  let at = most === 0 ? -1 : find(text, 0)
  while (at >= 0) {
    chargePart(rt)
    starts.push(at)
    at = starts.length === most ? -1 : find(text, at + separator.length)
  }
  return starts
}

const splitAt = (text: string, starts: readonly number[], length: number): readonly string[] =>
  [...starts, text.length].map((end, at) => text.slice(at === 0 ? 0 : starts[at - 1]! + length, end))

/** Splits a text at a separator: `str.split(separator)`. */
export function splitOn(rt: Runtime, text: string, separator: string, most: number): readonly string[] {
  if (separator === '') fail('ValueError', 'empty separator')
  return splitAt(text, startsOf(rt, text, separator, most), separator.length)
}

const reversed = (rt: Runtime, text: string): string => {
  rt.spend(12 * text.length)
  rt.hold(40 * text.length)
  return text.split('').reverse().join('')
}

/** Splits a text at a separator from the right: `str.rsplit(separator)`. */
export function splitOnFromRight(rt: Runtime, text: string, separator: string, most: number): readonly string[] {
  if (separator === '') fail('ValueError', 'empty separator')
  if (most === 1) {
    const at = lastIndex(rt, text, separator)
    return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
  }
  const backwards = startsOf(rt, reversed(rt, text), reversed(rt, separator), most)
  const starts = backwards.map((start) => text.length - start - separator.length).reverse()
  return splitAt(text, starts, separator.length)
}

/** Index of the last occurrence of a text in another; -1 if there is none. */
export function lastIndex(rt: Runtime, text: string, part: string): number {
  charge(rt, text)
  if (part.length <= 16) {
    rt.spend((text.length * (4 + part.length)) >> 4)
    return text.lastIndexOf(part)
  }
  const at = finder(rt, reversed(rt, part))(reversed(rt, text), 0)
  return at < 0 ? -1 : text.length - at - part.length
}

/** Number of non-overlapping occurrences of a text in another: `str.count`. */
export function countOf(rt: Runtime, text: string, part: string): number {
  return startsOf(rt, text, part, -1).length
}

/** Replaces occurrences of a text, at most `most` times; -1 for all: `str.replace`. */
export function replaceIn(rt: Runtime, text: string, part: string, by: string, most: number): string {
  if (part === '') return replaceEmpty(rt, text, by, most)
  const starts = startsOf(rt, text, part, most)
  if (starts.length === 0) return text
  const length = text.length + starts.length * (by.length - part.length)
  chargeJoined(rt, length, starts.length)
  return splitAt(text, starts, part.length).join(by)
}

function replaceEmpty(rt: Runtime, text: string, by: string, most: number): string {
  charge(rt, text)
  rt.spend(12 * text.length)
  rt.hold(40 * text.length)
  const points = Array.from(text)
  const count = most < 0 ? points.length + 1 : Math.min(most, points.length + 1)
  chargeJoined(rt, text.length + count * by.length, count)
  return points.map((point, at) => (at < count ? by + point : point)).join('') + (count > points.length ? by : '')
}

/** Charges for joining this many parts to a text of this length. */
export function chargeJoined(rt: Runtime, length: number, parts: number): void {
  chargeEntries(rt, parts)
  if (!(length <= 50_000_000)) fail('OverflowError', `expected a text of at most 50000000 characters, got ${length}`)
  rt.spend(length >> 2)
  rt.hold(2 * length)
}

const isLineBreak = (unit: number): boolean =>
  (unit >= 10 && unit <= 13) || (unit >= 28 && unit <= 30) || unit === 0x85 || unit === 0x2028 || unit === 0x2029

/** Splits a text into lines, with or without their line breaks: `str.splitlines`. */
export function splitLines(rt: Runtime, text: string, hasEnds: boolean): readonly string[] {
  charge(rt, text)
  rt.spend(text.length)
  const lines: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (!isLineBreak(unit)) continue
    const next = unit === 13 && text.charCodeAt(at + 1) === 10 ? at + 2 : at + 1
    chargePart(rt)
    lines.push(text.slice(start, hasEnds ? next : at))
    start = next
    at = next - 1
  }
  return start < text.length ? [...lines, text.slice(start)] : lines
}
