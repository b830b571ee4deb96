/** Code points from the first to the last, both included. */
export type Span = readonly [first: number, last: number]

/** A regular set of texts, as a tree. Nodes are values and may be shared. */
export type Pattern =
  | { readonly kind: 'set'; readonly spans: readonly Span[] }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly least: number; readonly most: number }

/** Any one of some characters. */
export const set = (spans: readonly Span[]): Pattern => ({ kind: 'set', spans })

/** One part after another. */
export const sequence = (...parts: readonly Pattern[]): Pattern =>
  parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }

/** One of the parts. */
export const choice = (...parts: readonly Pattern[]): Pattern =>
  parts.length === 1 ? parts[0]! : { kind: 'choice', parts }

/** A part so many times, from `least` to `most`, which may be `Infinity`. */
export const repeat = (part: Pattern, least: number, most: number): Pattern => ({ kind: 'repeat', part, least, most })

/** A part, or nothing. */
export const optional = (part: Pattern): Pattern => repeat(part, 0, 1)

/** Exactly this text. */
export const literal = (text: string): Pattern =>
  sequence(...Array.from(text, (character) => set([[character.codePointAt(0)!, character.codePointAt(0)!]])))

/** The empty text only. */
export const EMPTY: Pattern = sequence()

/** No text at all. */
export const NOTHING: Pattern = choice()
