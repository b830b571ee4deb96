import { asText } from '../arguments.js'
import { fail } from '../failure.js'
import type { Runtime } from '../runtime.js'
import type { BraceFormat } from '../text/brace-format.js'
import { escapeHtml, stripTags, unescapeHtml } from '../text/html.js'
import { pointsOf } from '../text/points.js'
import { dictOf, pairsOf } from '../values/dict.js'
import { collect } from '../values/iterate.js'
import { textOf } from '../values/text-of.js'
import { type Arguments, type Markup, type Value, kindOf, list, markup } from '../values/value.js'
import { type Method, type Methods, method } from './method.js'
import { partMethods } from './text-parts.js'
import { searchMethods } from './text-search.js'
import { shapeMethods } from './text-shape.js'

/** Arguments of `format_map`: a mapping instead of keyword arguments. */
function mapArguments(rt: Runtime, args: Arguments): Arguments {
  const [map] = args.positional
  if (args.named !== undefined || args.positional.length !== 1)
    return fail('TypeError', 'format_map() takes exactly one argument')
  if (typeof map !== 'object' || map?.kind !== 'dict') return fail('TypeError', 'format_map() takes a mapping')
  rt.spend(8 * map.map.size)
  rt.hold(60 * map.map.size)
  const pairs = pairsOf(map).flatMap(([name, value]) => (typeof name === 'string' ? [[name, value] as const] : []))
  return { positional: [], named: new Map(pairs) }
}

function makeTable(rt: Runtime, [from, to, without]: readonly (Value | undefined)[]): Value {
  if (to === undefined) {
    if (typeof from !== 'object' || from?.kind !== 'dict')
      return fail('TypeError', 'if you give only one argument to maketrans it must be a dict')
    return dictOf(
      rt,
      pairsOf(from).map(([key, value]) => [typeof key === 'string' ? key.codePointAt(0)! : key, value] as const),
    )
  }
  const [keys, values] = [pointsOf(rt, asText(from!)), pointsOf(rt, asText(to))]
  if (keys.length !== values.length)
    return fail('ValueError', 'the first two maketrans arguments must have equal length')
  const removed = without === undefined ? [] : pointsOf(rt, asText(without))
  return dictOf(rt, [
    ...keys.map((key, at) => [key.codePointAt(0)!, values[at]!.codePointAt(0)!] as const),
    ...removed.map((key) => [key.codePointAt(0)!, null] as const),
  ])
}

/** Methods of strs. */
export const textMethods = (braceFormat: BraceFormat): Methods<string> => ({
  ...searchMethods,
  ...partMethods,
  ...shapeMethods,
  format: (rt, self, args) => braceFormat(rt, self, args, false),
  format_map: (rt, self, args) => braceFormat(rt, self, mapArguments(rt, args), false),
  maketrans: method('x y? z? /', (rt, _, args) => makeTable(rt, args)),
  encode: () => fail('NotSupported', 'bytes are not supported: str.encode'),
})

/** Index of the argument that Markup escapes before calling the method of str. */
const ESCAPED: Readonly<Record<string, number>> = { replace: 1, ljust: 1, rjust: 1, center: 1 }

const escaped = (rt: Runtime, value: Value): string =>
  kindOf(value) === 'markup' ? (value as Markup).text : escapeHtml(rt, textOf(rt, value))

function escapeArguments(rt: Runtime, args: Arguments, name: string): Arguments {
  if (name === 'join' && args.positional.length === 1) {
    const items = collect(rt, args.positional[0]!).map((item) => escaped(rt, item))
    return { ...args, positional: [list(items)] }
  }
  const at = ESCAPED[name]
  const value = at === undefined ? undefined : args.positional[at]
  return value === undefined ? args : { ...args, positional: args.positional.with(at!, escaped(rt, value)) }
}

/** Wraps the texts of a result as Markup. */
function wrap(value: Value): Value {
  if (typeof value === 'string') return markup(value)
  if (typeof value !== 'object' || (value?.kind !== 'list' && value?.kind !== 'tuple')) return value
  return { kind: value.kind, items: value.items.map(wrap) }
}

const wrapped =
  (run: Method<string>): Method<Markup> =>
  (rt, self, args, name) =>
    wrap(run(rt, self.text, escapeArguments(rt, args, name), name))

/** Methods of Markup: those of str, with escaped arguments. */
export const markupMethods = (braceFormat: BraceFormat): Methods<Markup> => ({
  ...Object.fromEntries(Object.entries(textMethods(braceFormat)).map(([name, run]) => [name, wrapped(run)])),
  format: (rt, self, args) => markup(braceFormat(rt, self.text, args, true)),
  format_map: (rt, self, args) => markup(braceFormat(rt, self.text, mapArguments(rt, args), true)),
  striptags: method('/', (rt, self) => stripTags(rt, self.text)),
  unescape: method('/', (rt, self) => unescapeHtml(rt, self.text)),
})
