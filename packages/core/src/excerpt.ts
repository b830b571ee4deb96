/** Control characters except line feed and tab, and bidirectional formatting characters: a terminal would interpret them. */
const UNPRINTABLE = /[^\P{Cc}\n\t]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/** Escapes control characters as in JSON, for safe output in a terminal. */
export const escapeControls = (text: string): string =>
  text.replace(UNPRINTABLE, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Truncates an untrusted text for a message, to at most `maximum` characters (default 100) and `…`. */
export const shortened = (text: string, maximum = 100): string =>
  text.length > maximum ? `${text.slice(0, maximum).toWellFormed()}…` : text

const isSkipped = (value: unknown): boolean => ['undefined', 'function', 'symbol'].includes(typeof value)

/** True for dates and other values with a JSON representation of their own. */
const hasToJson = (value: object): boolean => 'toJSON' in value && typeof value.toJSON === 'function'

/**
 * Returns the beginning of a value as JSON, for a message: at most `maximum` characters (default 80) and `…`. The cost does not
 * depend on the size of the value.
 *
 * @example
 * ```ts
 * import { excerpt } from '@attune/core'
 * console.log(excerpt({ a: [1, 2], b: 'x'.repeat(1e6) }, 20)) // {"a":[1,2],"b":"xxxx…
 * ```
 */
export function excerpt(value: unknown, maximum = 80): string {
  let text = ''
  const writeAll = (items: Iterable<readonly [name: string, item: unknown]>, open: string, close: string): void => {
    text += open
    let separator = ''
    for (const [name, item] of items) {
      if (text.length > maximum) return
      text += `${separator}${name}`
      write(item)
      separator = ','
    }
    text += close
  }
  const membersOf = function* (record: object): Generator<readonly [string, unknown], void> {
    for (const name in record) {
      const item = (record as Readonly<Record<string, unknown>>)[name]
      if (Object.hasOwn(record, name) && !isSkipped(item))
        yield [`${JSON.stringify(name.slice(0, maximum + 1))}:`, item] as const
    }
  }
  const itemsOf = function* (list: readonly unknown[]): Generator<readonly [string, unknown], void> {
    for (const item of list) yield ['', isSkipped(item) ? null : item] as const
  }
  const write = (node: unknown): void => {
    if (typeof node === 'string') text += JSON.stringify(node.slice(0, maximum + 1))
    else if (typeof node === 'bigint') text += String(node)
    else if (typeof node !== 'object' || node === null || hasToJson(node)) text += JSON.stringify(node) ?? 'nothing'
    else if (Array.isArray(node)) writeAll(itemsOf(node), '[', ']')
    else writeAll(membersOf(node), '{', '}')
  }
  write(value)
  return shortened(text, maximum)
}
