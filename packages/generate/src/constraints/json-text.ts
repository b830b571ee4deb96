import { complement, intersection } from './character-set.js'
import { type Pattern, type Span, choice, literal, sequence, set } from './pattern.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const CONTROLS: Span = [0, 0x1f]
const ESCAPED: readonly Span[] = [CONTROLS, [QUOTE, QUOTE], [BACKSLASH, BACKSLASH]]

/** JSON escape of a character, without the backslash: `n`, `"`, `u001b`. */
const escapeOf = (codePoint: number): string => JSON.stringify(String.fromCodePoint(codePoint)).slice(2, -1)

const characters = (letters: readonly string[]): Pattern =>
  set(letters.map((letter) => [letter.charCodeAt(0), letter.charCodeAt(0)]))

/** Escapes of the characters, in few states: single-letter escapes, and `\u00` escapes by common prefix. */
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

/** Characters as they appear inside a JSON string, in the spelling of `JSON.stringify`. */
function spelledSet(spans: readonly Span[]): Pattern {
  const plain = set(intersection(spans, complement(ESCAPED)))
  return choice(plain, ...escapes(intersection(spans, ESCAPED)))
}

/** Escaped patterns for the inside of a JSON string, by unescaped pattern; sets are keyed by their spans. */
export type Spelled = Map<Pattern | string, Pattern>

/** Escapes the texts of a pattern for the inside of a JSON string, in the spelling of `JSON.stringify`. */
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
          : pattern.kind === 'machine'
            ? { ...pattern, edges: pattern.edges.map((edge) => ({ ...edge, part: inside(edge.part) })) }
            : { ...pattern, parts: pattern.parts.map(inside) }
  known.set(name, spelled)
  return spelled
}

/** Texts of a pattern as JSON strings. */
export const jsonString = (pattern: Pattern, known: Spelled): Pattern =>
  sequence(literal('"'), insideString(pattern, known), literal('"'))

/** White space of JSON after commas and colons. */
export interface Spacing {
  readonly comma: string
  readonly colon: string
}

/** Serializes a value as `JSON.stringify` does, with the given spacing. */
export function jsonText(value: unknown, spacing: Spacing): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((each) => jsonText(each, spacing)).join(spacing.comma)}]`
  const members = Object.entries(value).map(
    ([name, each]) => `${JSON.stringify(name)}${spacing.colon}${jsonText(each, spacing)}`,
  )
  return `{${members.join(spacing.comma)}}`
}
