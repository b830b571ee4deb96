/** Code points from the first to the last, both included. */
export type Span = readonly [first: number, last: number]

/** A regular set of texts, as a tree. Nodes are values and may be shared. */
export type Pattern =
  | { readonly kind: 'set'; readonly spans: readonly Span[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly least: number; readonly most: number }

/** Any one of some characters. */
export const set = (spans: readonly Span[]): Pattern => ({ kind: 'set', spans })

/** One part after another. */
export const sequence = (...parts: readonly Pattern[]): Pattern => sequenceOf(parts)

/** One part after another, of which there may be more than a function takes. */
export const sequenceOf = (parts: readonly Pattern[]): Pattern =>
  parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }

/** One of the parts. */
export const choice = (...parts: readonly Pattern[]): Pattern => choiceOf(parts)

/** One of the parts, of which there may be more than a function takes. */
export const choiceOf = (parts: readonly Pattern[]): Pattern =>
  parts.length === 1 ? parts[0]! : { kind: 'choice', parts }

/** A part so many times, from `least` to `most`, which may be `Infinity`. */
export const repeat = (part: Pattern, least: number, most: number): Pattern => ({ kind: 'repeat', part, least, most })

/** A part, or nothing. */
export const optional = (part: Pattern): Pattern => repeat(part, 0, 1)

/** No text at all. */
export const NOTHING: Pattern = choice()

/** Exactly this text; none if half of a surrogate pair is in it, which UTF-8 cannot spell. */
export const literal = (text: string): Pattern => (text.isWellFormed() ? { kind: 'text', text } : NOTHING)

/** The empty text only. */
export const EMPTY: Pattern = sequence()
