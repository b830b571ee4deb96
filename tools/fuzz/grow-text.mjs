// @ts-check
/** Grows texts in ways that make costs grow faster than the size. */
import { ATOMS } from './atoms.mjs'
import { below, magnitude, pick } from './random.mjs'

/** @import { Random } from './random.mjs' */

const PAIRS = [
  ['[', ']'],
  ['{"a":', '}'],
  ['(', ')'],
  ['(?:', ')*'],
  ['"', '"'],
  ['<', '>'],
  ['{% if true %}', '{% endif %}'],
  ['{{ ', ' }}'],
]

/** Repeats an atom, or two in alternation, up to a length. @param {number} room @param {Random} random */
export function runOf(room, random) {
  const atom = random() < 0.7 ? pick(ATOMS, random) : pick(ATOMS, random) + pick(ATOMS, random)
  return atom.repeat(magnitude(1, Math.max(1, room / atom.length), random))
}

/** Range of a part of a text: mostly short, a line, or all of it. @param {string} text @param {Random} random @returns {readonly [start: number, end: number]} */
function sliceIn(text, random) {
  const at = below(text.length + 1, random)
  const kind = random()
  if (kind < 0.15) return [0, text.length]
  if (kind < 0.45) return [text.lastIndexOf('\n', at - 1) + 1, text.indexOf('\n', at) + 1 || text.length]
  return [at, Math.min(text.length, at + magnitude(1, kind < 0.8 ? 50 : 5000, random))]
}

/** Number of repetitions of a text of this length that fit into `room`, from 2 to 1,000. @param {number} length @param {number} room @param {Random} random */
const times = (length, room, random) =>
  magnitude(2, Math.max(2, Math.min(1000, Math.floor(room / Math.max(1, length)))), random)

/** Copies of a text, each with another number or one character longer than the previous one. @param {string} text @param {number} count @param {Random} random */
export function series(text, count, random) {
  const digits = /\d+/.exec(text)
  const at = digits?.index ?? Math.ceil(text.length / 2)
  const end = at + (digits?.[0].length ?? 0)
  const longer = random() < 0.4
  const filler = longer ? pick(['a', ...text], random) : ''
  let made = ''
  for (let i = 0; i < count; i++) made += text.slice(0, at) + (longer ? filler.repeat(i) : i) + text.slice(end)
  return made
}

/** Number of characters in which a run is searched. */
const SEARCHED = 20_000

/** A copy in which the longest run of repeated characters in some part is up to 30 times as long. @param {string} text @param {number} room @param {Random} random */
export function stretched(text, room, random) {
  const from = below(Math.max(1, text.length - SEARCHED), random)
  let longest = { index: 0, run: '', unit: '' }
  for (const { index, 0: run, 1: unit = '' } of text.slice(from, from + SEARCHED).matchAll(/(.{1,8}?)\1{4,}/gs))
    if (run.length > longest.run.length) longest = { index, run, unit }
  const { index, run, unit } = longest
  if (run === '') return text
  const more = Math.min(room / unit.length, (run.length / unit.length) * magnitude(1, 30, random))
  return text.slice(0, from + index) + unit.repeat(Math.floor(more)) + text.slice(from + index)
}

/** A longer or shorter copy. @param {string} text @param {string} other to splice with @param {number} most maximum number of characters @param {Random} random @returns {string} */
export function grownText(text, other, most, random) {
  const room = Math.max(0, most - text.length)
  const [start, end] = sliceIn(text, random)
  const [before, slice, after] = [text.slice(0, start), text.slice(start, end), text.slice(end)]
  switch (below(12, random)) {
    case 0:
    case 1:
    case 2:
      return before + slice.repeat(times(slice.length, room, random)) + after
    case 3:
    case 4:
      return before + runOf(room, random) + text.slice(start)
    case 5: {
      const [open, close] = pick(PAIRS, random)
      const depth = magnitude(1, Math.max(1, Math.min(20_000, room / (open.length + close.length))), random)
      return before + open.repeat(depth) + slice + close.repeat(depth) + after
    }
    case 6:
      return text.slice(0, start) + other.slice(below(other.length + 1, random))
    case 7:
      return text.replace(/\d+/g, (number) => (random() < 0.2 ? number + '0'.repeat(1 + below(6, random)) : number))
    case 8: {
      const count = Math.min(times(slice.length + 3, room, random), Math.ceil(Math.sqrt(2 * room)) + 1)
      return before + series(slice, count, random) + after
    }
    case 9:
    case 10:
      return stretched(text, room, random)
    default:
      return before + after
  }
}
