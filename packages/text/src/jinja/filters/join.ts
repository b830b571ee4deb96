import { type Runtime, charge } from '../runtime.js'
import { escapeHtml } from '../text/html.js'
import { chargeJoined } from '../text/split.js'
import { collect } from '../values/iterate.js'
import { textOf } from '../values/text-of.js'
import { type Value, kindOf, markup, stringOf } from '../values/value.js'
import { getter } from './attribute-getter.js'

function joinTexts(rt: Runtime, texts: readonly string[], separator: string): string {
  const length = texts.reduce((sum, text) => sum + text.length + separator.length, 0)
  chargeJoined(rt, length, texts.length)
  return texts.join(separator)
}

/** Joins the texts of an iterable with a separator: the filter `join`. */
export function joined(rt: Runtime, value: Value, separator: Value, attribute: Value | undefined): Value {
  const get = attribute === undefined || attribute === null ? (item: Value) => item : getter(rt, attribute)
  const items = collect(rt, value).map(get)
  rt.spend(4 * items.length)
  if (!rt.autoescape) {
    const between = textOf(rt, separator)
    charge(rt, between)
    return joinTexts(
      rt,
      items.map((item) => textOf(rt, item)),
      between,
    )
  }
  const isMarkup = kindOf(separator) === 'markup' || items.some((item) => kindOf(item) === 'markup')
  if (!isMarkup)
    return joinTexts(
      rt,
      items.map((item) => textOf(rt, item)),
      textOf(rt, separator),
    )
  const escaped = (item: Value): string =>
    kindOf(item) === 'markup' ? stringOf(item)! : escapeHtml(rt, textOf(rt, item))
  return markup(joinTexts(rt, items.map(escaped), escaped(separator)))
}
