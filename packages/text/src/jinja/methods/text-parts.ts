import { asInt, asText } from '../arguments.js'
import { fail } from '../failure.js'
import { type Runtime, charge, chargeText } from '../runtime.js'
import {
  chargeJoined,
  replaceIn,
  splitLines,
  splitOn,
  splitOnFromRight,
  splitWords,
  splitWordsFromRight,
} from '../text/split.js'
import { type Sides, trim } from '../text/trim.js'
import { lookUp } from '../values/dict.js'
import { collect } from '../values/iterate.js'
import { itemAt } from '../values/sequence.js'
import { type Dict, type Value, intOf, isUndefined, kindOf, list, stringOf, tuple, typeName } from '../values/value.js'
import { type Method, type Methods, method } from './method.js'

const optionalText = (value: Value | undefined): string | undefined =>
  value === undefined || value === null ? undefined : asText(value)

const optionalCount = (value: Value | undefined): number => (value === undefined ? -1 : asInt(value))

const strip = (sides: Sides): Method<string> =>
  method('chars? /', (rt, self, [characters]) => trim(rt, self, sides, optionalText(characters)))

/** Joins texts with a separator: `str.join`. */
export function joinTexts(rt: Runtime, separator: string, items: readonly Value[]): string {
  let length = 0
  const texts = items.map((item, at) => {
    const text = stringOf(item)
    if (text === undefined)
      return fail('TypeError', `sequence item ${at}: expected str instance, ${typeName(item)} found`)
    length += text.length + separator.length
    return text
  })
  chargeJoined(rt, length, texts.length)
  return texts.join(separator)
}

function partition(rt: Runtime, text: string, separator: string, isLast: boolean): Value {
  if (separator === '') fail('ValueError', 'empty separator')
  const parts = isLast ? splitOnFromRight(rt, text, separator, 1) : splitOn(rt, text, separator, 1)
  if (parts.length === 2) return tuple([parts[0]!, separator, parts[1]!])
  return tuple(isLast ? ['', '', text] : [text, '', ''])
}

/** Methods that split or join texts. */
export const partMethods: Methods<string> = {
  strip: strip('both'),
  lstrip: strip('left'),
  rstrip: strip('right'),
  split: method('sep? maxsplit?', (rt, self, [separator, most]) => {
    const on = optionalText(separator)
    const count = optionalCount(most)
    return list(on === undefined ? splitWords(rt, self, count) : splitOn(rt, self, on, count))
  }),
  rsplit: method('sep? maxsplit?', (rt, self, [separator, most]) => {
    const on = optionalText(separator)
    const count = optionalCount(most)
    return list(on === undefined ? splitWordsFromRight(rt, self, count) : splitOnFromRight(rt, self, on, count))
  }),
  splitlines: method('keepends?', (rt, self, [ends]) =>
    list(splitLines(rt, self, ends !== undefined && asInt(ends) !== 0)),
  ),
  partition: method('sep /', (rt, self, [separator]) => partition(rt, self, asText(separator!), false)),
  rpartition: method('sep /', (rt, self, [separator]) => partition(rt, self, asText(separator!), true)),
  join: method('iterable /', (rt, self, [items]) => joinTexts(rt, self, collect(rt, items!))),
  replace: method('old new count? /', (rt, self, [old, by, count]) =>
    replaceIn(rt, self, asText(old!), asText(by!), optionalCount(count)),
  ),
  removeprefix: method('prefix /', (rt, self, [prefix]) => {
    const part = asText(prefix!)
    charge(rt, self)
    charge(rt, part)
    return self.startsWith(part) ? self.slice(part.length) : self
  }),
  removesuffix: method('suffix /', (rt, self, [suffix]) => {
    const part = asText(suffix!)
    charge(rt, self)
    charge(rt, part)
    return part !== '' && self.endsWith(part) ? self.slice(0, -part.length) : self
  }),
  translate: method('table /', (rt, self, [table]) => translate(rt, self, table!)),
}

/** Looks up the replacement of a character in a dict, list, tuple or str; undefined if there is none. */
function replacementIn(rt: Runtime, table: Value, point: number): Value | undefined {
  if (isUndefined(table)) return table.raise(rt)
  const kind = kindOf(table)
  if (kind === 'dict') return lookUp(rt, table as Dict, point)
  if (kind === 'list' || kind === 'tuple' || stringOf(table) !== undefined) return itemAt(rt, table, point)
  return fail('TypeError', `'${typeName(table)}' object is not subscriptable`)
}

function translate(rt: Runtime, text: string, table: Value): string {
  chargeText(rt, 8 * text.length)
  rt.spend(16 * text.length)
  rt.hold(24 * text.length)
  let length = 0
  const parts = Array.from(text, (character) => {
    const by = replacementIn(rt, table, character.codePointAt(0)!)
    const part = by === undefined ? character : replacementText(by)
    length += part.length
    return part
  })
  chargeJoined(rt, length, parts.length)
  return parts.join('')
}

function replacementText(value: Value): string {
  if (value === null) return ''
  const code = intOf(value)
  return code === undefined ? asText(value) : pointOf(Number(code))
}

const pointOf = (code: number): string =>
  code >= 0 && code <= 0x10ffff
    ? String.fromCodePoint(code)
    : fail('ValueError', 'character mapping must be in range(0x110000)')
