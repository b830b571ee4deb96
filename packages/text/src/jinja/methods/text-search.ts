import { type Bound, asInt, asText } from '../arguments.js'
import { fail } from '../failure.js'
import { type Runtime, charge, holdText } from '../runtime.js'
import { positionsIn } from '../text/points.js'
import { finder } from '../text/search.js'
import { countOf, lastIndex } from '../text/split.js'
import { type Value, kindOf, type Tuple, typeName, stringOf } from '../values/value.js'
import { type Method, type Methods, method } from './method.js'

interface Part {
  /** Text between the limits. */
  readonly text: string
  /** Start index in UTF-16 units. */
  readonly start: number
  readonly toPoints: (index: number) => number
  /** True if the limits exclude even an empty part. */
  readonly isOutside: boolean
}

/** The part of a text that is searched, given the arguments `start` and `end`. */
function partOf(rt: Runtime, text: string, from: Value | undefined, to: Value | undefined): Part {
  const { length, toUnits, toPoints } = positionsIn(rt, text)
  const limit = (value: Value | undefined, other: number): number => {
    if (value === undefined || value === null) return other
    const index = asInt(value)
    return index < 0 ? Math.max(0, index + length) : index
  }
  const start = limit(from, 0)
  const end = Math.min(length, limit(to, length))
  const isOutside = start > end
  const [first, last] = isOutside ? [0, 0] : [toUnits(start), toUnits(end)]
  return { text: text.slice(first, last), start: first, toPoints, isOutside }
}

function indexIn(rt: Runtime, self: string, [sub, from, to]: Bound, isLast: boolean): number {
  const needle = asText(sub!)
  const { text, start, toPoints, isOutside } = partOf(rt, self, from, to)
  if (isOutside) return -1
  const found = isLast ? lastIndex(rt, text, needle) : needle === '' ? 0 : finder(rt, needle)(text, 0)
  return found < 0 ? -1 : toPoints(start + found)
}

const find = (isLast: boolean): Method<string> =>
  method('sub start? end? /', (rt, self, args) => indexIn(rt, self, args, isLast))

const index = (isLast: boolean): Method<string> =>
  method('sub start? end? /', (rt, self, args) => {
    const found = indexIn(rt, self, args, isLast)
    return found < 0 ? fail('ValueError', 'substring not found') : found
  })

const affix = (of: string, test: (text: string, part: string) => boolean): Method<string> =>
  method('prefix start? end? /', (rt, self, [parts, from, to]) => {
    const choices = kindOf(parts!) === 'tuple' ? (parts as Tuple).items : [parts!]
    const texts = choices.map(
      (each) =>
        stringOf(each) ?? fail('TypeError', `${of} first arg must be str or a tuple of str, not ${typeName(each)}`),
    )
    rt.spend(2 + (self.length >> 3))
    holdText(rt, self)
    if (from === undefined && to === undefined) return texts.some((part) => (charge(rt, part), test(self, part)))
    const { text, isOutside } = partOf(rt, self, from, to)
    return !isOutside && texts.some((part) => (charge(rt, part), test(text, part)))
  })

/** Methods that search for a text in another. */
export const searchMethods: Methods<string> = {
  find: find(false),
  rfind: find(true),
  index: index(false),
  rindex: index(true),
  count: method('sub start? end? /', (rt, self, [sub, from, to]) => {
    const needle = asText(sub!)
    const { text, isOutside } = partOf(rt, self, from, to)
    if (isOutside) return 0
    return needle === '' ? positionsIn(rt, text).length + 1 : countOf(rt, text, needle)
  }),
  startswith: affix('startswith', (text, part) => text.startsWith(part)),
  endswith: affix('endswith', (text, part) => text.endsWith(part)),
}
