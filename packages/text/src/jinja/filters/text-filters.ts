import { asInt, asText } from '../arguments.js'
import { fail } from '../failure.js'
import { type Runtime, charge, chargeText } from '../runtime.js'
import { isSpace } from '../text/characters.js'
import { escapeHtml } from '../text/html.js'
import { percentFormat } from '../text/percent-format.js'
import { repeat } from '../text/points.js'
import { chargeJoined, replaceIn, splitLines } from '../text/split.js'
import { wordWrap } from '../text/wrap.js'
import { binary } from '../values/arithmetic.js'
import { dictOf } from '../values/dict.js'
import { isTrue, sizeOf, slice } from '../values/sequence.js'
import { textOf } from '../values/text-of.js'
import { type Markup, type Value, isUndefined, kindOf, markup, stringOf, tuple, typeName } from '../values/value.js'
import { type Filter, type Filters, callMethod, filter, soft, viaMethod } from './filter.js'

const softText = (rt: Runtime, value: Value): string => stringOf(soft(rt, value))!

const escaped = (rt: Runtime, value: Value): Markup => markup(escapeHtml(rt, textOf(rt, value)))

const isOpening = (unit: number): boolean =>
  isSpace(unit) || unit === 45 || unit === 40 || unit === 123 || unit === 91 || unit === 60

/** Capitalizes each word and lowercases the rest; words begin after whitespace and `-({[<`. */
function titled(rt: Runtime, text: string): string {
  charge(rt, text)
  chargeText(rt, 3 * text.length)
  rt.spend(14 * text.length)
  const parts: string[] = []
  for (let at = 0; at < text.length;) {
    let end = at
    const isGap = isOpening(text.charCodeAt(at))
    while (end < text.length && isOpening(text.charCodeAt(end)) === isGap) end++
    const first = String.fromCodePoint(text.codePointAt(at)!)
    parts.push(isGap ? text.slice(at, end) : first.toUpperCase() + text.slice(at + first.length, end).toLowerCase())
    at = end
  }
  return parts.join('')
}

const lacks = (value: Value, method: string): never =>
  fail('AttributeError', `expected a str, got a value of type ${typeName(value)}, which has no ${method}`)

function indented(rt: Runtime, value: Value, width: Value, isFirst: boolean, isBlank: boolean): Value {
  const by = stringOf(width) ?? repeat(rt, ' ', asInt(width))
  const text = kindOf(value) === 'list' ? lacks(value, 'splitlines') : stringOf(binary(rt, '+', value, '\n'))!
  const lines = splitLines(rt, text, false)
  chargeJoined(rt, text.length + lines.length * (by.length + 1), lines.length)
  const shown = lines.map((line, at) => ((at === 0 ? isFirst : isBlank || line !== '') ? by + line : line)).join('\n')
  return kindOf(value) === 'markup' ? markup(shown) : shown
}

function truncated(rt: Runtime, value: Value, length: number, killsWords: boolean, end: Value, leeway: number): Value {
  const endLength = sizeOf(rt, end) ?? fail('TypeError', `object of type '${typeName(end)}' has no len()`)
  if (length < endLength) fail('AssertionError', `expected length >= ${endLength}, got ${length}`)
  if (leeway < 0) fail('AssertionError', `expected leeway >= 0, got ${leeway}`)
  const size = sizeOf(rt, value) ?? fail('TypeError', `object of type '${typeName(value)}' has no len()`)
  if (size <= length + leeway) return value
  const kept = slice(rt, value, null, length - endLength, null)
  if (killsWords) return binary(rt, '+', kept, end)
  if (typeof kept !== 'string' && kindOf(kept) !== 'markup') return lacks(value, 'rsplit')
  const [first] = (callMethod(rt, kept as string, 'rsplit', [' ', 1]) as { readonly items: readonly Value[] }).items
  return binary(rt, '+', first!, end)
}

const WORD = /[\p{L}\p{N}_]+/gu

function countWords(rt: Runtime, text: string): number {
  charge(rt, text)
  rt.spend(4 * text.length)
  rt.hold(16 * text.length)
  return text.match(WORD)?.length ?? 0
}

const formatted: Filter = (rt, value, { positional, named }) => {
  if (positional.length > 0 && named !== undefined)
    return fail('FilterArgumentError', "can't handle positional and keyword arguments at the same time")
  const values = named === undefined ? tuple(positional) : dictOf(rt, named)
  return percentFormat(rt, soft(rt, value), values)
}

function wrapped(
  rt: Runtime,
  value: Value,
  [width, breaksWords, by, breaksHyphens]: readonly (Value | undefined)[],
): Value {
  if (isUndefined(value)) return value.raise(rt)
  const text = stringOf(value) ?? lacks(value, 'splitlines')
  const separator = by === undefined || by === null ? '\n' : asText(by)
  const style = {
    width: width === undefined ? 79 : asInt(width),
    breaksWords: breaksWords === undefined || isTrue(rt, breaksWords),
    breaksHyphens: breaksHyphens === undefined || isTrue(rt, breaksHyphens),
  }
  const lines = splitLines(rt, text, false).map((line) => wordWrap(rt, line, style).join(separator))
  const length = lines.reduce((sum, line) => sum + line.length + separator.length, 0)
  chargeJoined(rt, length, lines.length)
  return lines.join(separator)
}

const integer = (value: Value | undefined, other: number): number => (value === undefined ? other : asInt(value))
const flag = (rt: Runtime, value: Value | undefined): boolean => value !== undefined && isTrue(rt, value)

/** Text filters. */
export const textFilters: Filters = {
  capitalize: viaMethod('capitalize', ''),
  center: filter('width?', (rt, value, [width = 80]) => callMethod(rt, soft(rt, value), 'center', [width])),
  format: formatted,
  indent: filter('width? first? blank?', (rt, value, [width = 4, first, blank]) =>
    indented(rt, value, width, flag(rt, first), flag(rt, blank)),
  ),
  lower: viaMethod('lower', ''),
  replace: filter('old new count?', (rt, value, [old, by, count]) => {
    const most = count === undefined || count === null ? -1 : asInt(count)
    if (!rt.autoescape) return replaceIn(rt, textOf(rt, value), textOf(rt, old!), textOf(rt, by!), most)
    const isEscaped = kindOf(old!) === 'markup' || (kindOf(by!) === 'markup' && kindOf(value) !== 'markup')
    const text = isEscaped && kindOf(value) !== 'markup' ? escaped(rt, value) : soft(rt, value)
    return callMethod(rt, text, 'replace', [softText(rt, old!), soft(rt, by!), most])
  }),
  string: filter('', soft),
  title: filter('', (rt, value) => titled(rt, softText(rt, value))),
  trim: viaMethod('strip', 'chars?'),
  truncate: filter('length? killwords? end? leeway?', (rt, value, [length, words, end = '...', leeway]) => {
    const slack = leeway === undefined || leeway === null ? 5 : asInt(leeway)
    return truncated(rt, value, integer(length, 255), flag(rt, words), end, slack)
  }),
  upper: viaMethod('upper', ''),
  wordcount: filter('', (rt, value) => countWords(rt, softText(rt, value))),
  wordwrap: filter('width? break_long_words? wrapstring? break_on_hyphens?', wrapped),
}
