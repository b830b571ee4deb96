import { type Runtime, charge, holdText } from '../runtime.js'
import { endOfText, skipSpaces } from './characters.js'
import { widthAt } from './points.js'

/** Sides of a text to strip. */
export type Sides = 'left' | 'right' | 'both'

function trimSpaces(text: string, sides: Sides): string {
  const start = sides === 'right' ? 0 : skipSpaces(text, 0)
  const end = sides === 'left' ? text.length : endOfText(text, start)
  return start === 0 && end === text.length ? text : text.slice(start, end)
}

/** Length in units of the character that ends before an index. */
const widthBefore = (text: string, end: number): 1 | 2 => (end > 1 && widthAt(text, end - 2) === 2 ? 2 : 1)

/** Strips whitespace, or the characters of a set, from the sides of a text: `str.strip`. */
export function trim(rt: Runtime, text: string, sides: Sides, characters?: string): string {
  rt.hold(32)
  holdText(rt, text)
  rt.spend(2 + (text.length >> 3))
  if (characters === undefined) {
    const trimmed = trimSpaces(text, sides)
    rt.spend(text.length - trimmed.length)
    return trimmed
  }
  charge(rt, characters)
  rt.spend(8 * characters.length)
  const set = new Set(characters)
  let [start, end] = [0, text.length]
  while (sides !== 'right' && start < end && set.has(text.slice(start, start + widthAt(text, start))))
    start += widthAt(text, start)
  while (sides !== 'left' && start < end && set.has(text.slice(end - widthBefore(text, end), end)))
    end -= widthBefore(text, end)
  rt.spend(10 * (text.length - (end - start)))
  return start === 0 && end === text.length ? text : text.slice(start, end)
}
