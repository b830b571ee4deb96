import { asInt } from '../arguments.js'
import { fail } from '../failure.js'
import { type Runtime, charge, concat } from '../runtime.js'
import { escapeHtml, stripTags } from '../text/html.js'
import { splitWords } from '../text/split.js'
import { urlize } from '../text/urlize.js'
import { pairsOf } from '../values/dict.js'
import { collect, isIterable } from '../values/iterate.js'
import { isTrue } from '../values/sequence.js'
import { sorted } from '../values/sort.js'
import { repr, textOf } from '../values/text-of.js'
import { type Value, isUndefined, kindOf, markup, stringOf, typeName } from '../values/value.js'
import { type Filters, filter } from './filter.js'

const escaped = (rt: Runtime, value: Value): string =>
  kindOf(value) === 'markup' ? stringOf(value)! : escapeHtml(rt, textOf(rt, value))

const result = (rt: Runtime, text: string): Value => (rt.autoescape ? markup(text) : text)

function attributes(rt: Runtime, value: Value, isSpaced: boolean): Value {
  if (isUndefined(value)) return value.raise(rt)
  if (typeof value !== 'object' || value?.kind !== 'dict')
    return fail('AttributeError', `'${typeName(value)}' object has no attribute 'items'`)
  let text = ''
  for (const [key, each] of pairsOf(value)) {
    rt.spend(20)
    if (each === null || isUndefined(each)) continue
    const name = stringOf(key) ?? fail('TypeError', `expected a str as key, got ${repr(rt, key)}`)
    charge(rt, name)
    if (/[ \t\n\r\f\v/>=]/.test(name)) fail('ValueError', `Invalid character in attribute name: ${repr(rt, name)}`)
    const attribute = concat(rt, `${escaped(rt, key)}="`, `${escaped(rt, each)}"`)
    text = concat(rt, text === '' ? text : `${text} `, attribute)
  }
  return result(rt, isSpaced && text !== '' ? ` ${text}` : text)
}

const UNQUOTED = /[!'()*]/g

function quoteUrl(rt: Runtime, text: string, isQuery: boolean): string {
  charge(rt, text)
  rt.spend(10 * text.length)
  rt.hold(24 * text.length)
  let encoded: string
  try {
    encoded = encodeURIComponent(text)
  } catch {
    return fail('UnicodeError', 'a text with a lone surrogate cannot be encoded')
  }
  const strict = encoded.replace(UNQUOTED, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
  return isQuery ? strict.replaceAll('%20', '+') : strict.replaceAll('%2F', '/')
}

function urlencode(rt: Runtime, value: Value): string {
  if (stringOf(value) !== undefined || !isIterable(value)) return quoteUrl(rt, textOf(rt, value), false)
  const pairs = kindOf(value) === 'dict' ? pairsOf(value as never) : collect(rt, value).map((pair) => collect(rt, pair))
  let text = ''
  for (const pair of pairs) {
    if (pair.length !== 2) fail('ValueError', `expected pairs, got ${pair.length} values`)
    const [key, each] = pair.map((part) => quoteUrl(rt, textOf(rt, part), true))
    text = concat(rt, text === '' ? text : `${text}&`, `${key}=${each}`)
  }
  return text
}

function relOf(rt: Runtime, rel: Value | undefined, isNofollow: boolean): string {
  const text = rel === undefined || rel === null ? '' : (stringOf(rel) ?? '')
  const words = [...splitWords(rt, text, -1), 'noopener', ...(isNofollow ? ['nofollow'] : [])]
  // A set of digit strings may take quadratic time, because of hash collisions.
  rt.spend(words.length * words.length)
  return sorted(rt, [...new Set(words)], (a, b) => a < b).join(' ')
}

const SCHEME = /^[\p{L}\p{N}_.+-]{2,}:\/{0,2}$/u

function schemesOf(rt: Runtime, value: Value | undefined): readonly string[] {
  if (value === undefined || value === null) return []
  return collect(rt, value).map((scheme) => {
    const text = stringOf(scheme)
    if (text !== undefined) charge(rt, text)
    rt.spend(20 + 8 * (text?.length ?? 0))
    if (text === undefined || !SCHEME.test(text))
      return fail('FilterArgumentError', `${repr(rt, scheme)} is not a valid URI scheme prefix.`)
    return text
  })
}

const flag = (rt: Runtime, value: Value | undefined): boolean => value !== undefined && isTrue(rt, value)
const escape = filter('', (rt, value) => markup(escaped(rt, value)))

/** HTML filters. */
export const htmlFilters: Filters = {
  e: escape,
  escape,
  forceescape: filter('', (rt, value) => markup(escapeHtml(rt, textOf(rt, value)))),
  safe: filter('', (rt, value) => markup(textOf(rt, value))),
  striptags: filter('', (rt, value) => stripTags(rt, textOf(rt, value))),
  urlencode: filter('', urlencode),
  urlize: filter(
    'trim_url_limit? nofollow? target? rel? extra_schemes?',
    (rt, value, [limit, nofollow, target, rel, schemes]) => {
      const style = {
        limit: limit === undefined || limit === null ? undefined : asInt(limit),
        rel: escapeHtml(rt, relOf(rt, rel, flag(rt, nofollow))),
        target: target === undefined || target === null ? '' : escaped(rt, target),
        schemes: schemesOf(rt, schemes),
      }
      return result(rt, urlize(rt, escaped(rt, value), style))
    },
  ),
  xmlattr: filter('autospace?', (rt, value, [isSpaced]) =>
    attributes(rt, value, isSpaced === undefined || isTrue(rt, isSpaced)),
  ),
}
