import { asInt, asText } from '../arguments.js'
import { fail } from '../failure.js'
import { type Runtime, charge, chargeText } from '../runtime.js'
import {
  isAlphanumeric,
  isDecimal,
  isDigit,
  isIdentifier,
  isLetter,
  isNumeric,
  isPrintable,
  isSpaceCharacter,
} from '../text/character-classes.js'
import { capitalize, caseFold, isLower, isTitle, isUpper, lower, swapCase, title, upper } from '../text/letter-case.js'
import { lengthOf, pointsOf, repeat } from '../text/points.js'
import type { Value } from '../values/value.js'
import { type Method, type Methods, method } from './method.js'

/** Pads a text to `width` characters. */
export function pad(rt: Runtime, text: string, width: number, fill: string, side: 'left' | 'right' | 'both'): string {
  const missing = width - lengthOf(rt, text)
  if (missing <= 0) return text
  chargeText(rt, text.length + missing * fill.length)
  // Python puts the extra character on the left if the width is odd, too.
  const before = side === 'both' ? (missing >> 1) + (missing & width & 1) : side === 'left' ? missing : 0
  return repeat(rt, fill, before) + text + repeat(rt, fill, missing - before)
}

function fillOf(rt: Runtime, value: Value | undefined): string {
  if (value === undefined) return ' '
  const text = asText(value)
  return lengthOf(rt, text) === 1 ? text : fail('TypeError', 'the fill character must be exactly one character long')
}

const padded = (side: 'left' | 'right' | 'both'): Method<string> =>
  method('width fillchar? /', (rt, self, [width, fill]) => pad(rt, self, asInt(width!), fillOf(rt, fill), side))

function expandTabs(rt: Runtime, text: string, size: number): string {
  charge(rt, text)
  rt.spend(4 * text.length)
  rt.hold(40 * text.length)
  let [made, column] = ['', 0]
  for (const character of text) {
    const isTab = character === '\t'
    const count = size > 0 ? size - (column % size) : 0
    const part = isTab ? repeat(rt, ' ', count) : character
    column = character === '\n' || character === '\r' ? 0 : column + (isTab ? count : 1)
    made += part
  }
  return made
}

function zeroFill(rt: Runtime, text: string, width: number): string {
  const filled = pad(rt, text, width, '0', 'left')
  const sign = text[0]
  const count = filled.length - text.length
  return count > 0 && (sign === '+' || sign === '-') ? sign + filled.slice(0, count) + text.slice(1) : filled
}

const all = (test: (character: string) => boolean): Method<string> =>
  method('/', (rt, self) => {
    const points = pointsOf(rt, self)
    rt.spend(10 * points.length)
    return points.length > 0 && points.every(test)
  })

const whole = (test: (points: readonly string[]) => boolean): Method<string> =>
  method('/', (rt, self) => {
    rt.spend(30 * self.length)
    return test(pointsOf(rt, self))
  })

const changed = (change: (rt: Runtime, text: string) => string): Method<string> => method('/', change)

/** Methods that change the case or width of a text, or classify its characters. */
export const shapeMethods: Methods<string> = {
  upper: changed(upper),
  lower: changed(lower),
  title: changed(title),
  capitalize: changed(capitalize),
  swapcase: changed(swapCase),
  casefold: changed(caseFold),
  center: padded('both'),
  ljust: padded('right'),
  rjust: padded('left'),
  zfill: method('width /', (rt, self, [width]) => zeroFill(rt, self, asInt(width!))),
  expandtabs: method('tabsize?', (rt, self, [size]) => expandTabs(rt, self, size === undefined ? 8 : asInt(size))),
  isalpha: all(isLetter),
  isalnum: all(isAlphanumeric),
  isdecimal: all(isDecimal),
  isdigit: all(isDigit),
  isnumeric: all(isNumeric),
  isspace: all(isSpaceCharacter),
  isprintable: whole((points) => points.every(isPrintable)),
  isascii: whole((points) => points.every((point) => point < '\x80')),
  isidentifier: whole((points) => isIdentifier(points.join(''))),
  isupper: whole(isUpper),
  islower: whole(isLower),
  istitle: whole(isTitle),
}
