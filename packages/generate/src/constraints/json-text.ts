import { complement, intersection } from './character-set.js'
import { type Pattern, type Span, choice, literal, sequence, set } from './pattern.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const CONTROLS: Span = [0, 0x1f]
const ESCAPED: readonly Span[] = [CONTROLS, [QUOTE, QUOTE], [BACKSLASH, BACKSLASH]]

/** How JSON spells a character that it escapes, without the backslash: `n`, `"`, `u001b`. */
const escapeOf = (codePoint: number): string => JSON.stringify(String.fromCodePoint(codePoint)).slice(2, -1)

const characters = (letters: readonly string[]): Pattern =>
  set(letters.map((letter) => [letter.charCodeAt(0), letter.charCodeAt(0)]))

/** The escapes of some characters, in few states: those of one letter, and `\u00` with what follows it. */
function escapes(spans: readonly Span[]): Pattern[] {
  const spelled = spans.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) => escapeOf(first + i)),
  )
  const short = spelled.filter((escape) => escape.length === 1)
  const long = spelled.filter((escape) => escape.length > 1)
  const begins = [...new Set(long.map((escape) => escape.slice(0, -1)))]
  const endsOf = (begin: string): string[] =>
    long.filter((escape) => escape.startsWith(begin)).map((escape) => escape.at(-1)!)
  const kinds = [
    ...(short.length > 0 ? [characters(short)] : []),
    ...begins.map((begin) => sequence(literal(begin), characters(endsOf(begin)))),
  ]
  return kinds.length === 0 ? [] : [sequence(literal('\\'), choice(...kinds))]
}

/** Some characters as they stand between the quotes of JSON, spelled as `JSON.stringify` does. */
function spelledSet(spans: readonly Span[]): Pattern {
  const plain = set(intersection(spans, complement(ESCAPED)))
  return choice(plain, ...escapes(intersection(spans, ESCAPED)))
}

/** Patterns as they stand between the quotes of JSON, by what they are outside: sets by their spans. */
export type Spelled = Map<Pattern | string, Pattern>

/** The texts of a pattern as they stand between the quotes of JSON, spelled as `JSON.stringify` does. */
function insideString(pattern: Pattern, known: Spelled): Pattern {
  const name = pattern.kind === 'set' ? pattern.spans.join(';') : pattern
  const before = known.get(name)
  if (before !== undefined) return before
  const inside = (part: Pattern): Pattern => insideString(part, known)
  const spelled: Pattern =
    pattern.kind === 'set'
      ? spelledSet(pattern.spans)
      : pattern.kind === 'text'
        ? literal(JSON.stringify(pattern.text).slice(1, -1))
        : pattern.kind === 'repeat'
          ? { ...pattern, part: inside(pattern.part) }
          : { ...pattern, parts: pattern.parts.map(inside) }
  known.set(name, spelled)
  return spelled
}

/** The texts of a pattern as strings of JSON. */
export const jsonString = (pattern: Pattern, known: Spelled): Pattern =>
  sequence(literal('"'), insideString(pattern, known), literal('"'))

/** The white space of JSON: what stands after a comma and after a colon. */
export interface Spacing {
  readonly comma: string
  readonly colon: string
}

/** A value as JSON, spelled as `JSON.stringify` does but for the spacing. */
export function jsonText(value: unknown, spacing: Spacing): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((each) => jsonText(each, spacing)).join(spacing.comma)}]`
  const members = Object.entries(value).map(
    ([name, each]) => `${JSON.stringify(name)}${spacing.colon}${jsonText(each, spacing)}`,
  )
  return `{${members.join(spacing.comma)}}`
}
