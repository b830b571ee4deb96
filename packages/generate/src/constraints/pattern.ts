/** Code points from first to last, inclusive. */
export type Span = readonly [first: number, last: number]

/** A regular language, as a syntax tree. Nodes are immutable and may be shared. */
export type Pattern =
  | { readonly kind: 'set'; readonly spans: readonly Span[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly min: number; readonly max: number }
  | {
      readonly kind: 'machine'
      /** Number of states; 0 is the initial state. */
      readonly size: number
      readonly edges: readonly MachineEdge[]
      /** By state: true if a text may end there. */
      readonly accepting: readonly boolean[]
    }

/** Transition of a finite automaton whose labels are patterns. */
export interface MachineEdge {
  readonly from: number
  readonly part: Pattern
  readonly to: number
}

/** One character of a set. */
export const set = (spans: readonly Span[]): Pattern => ({ kind: 'set', spans })

/** Concatenation of the parts. */
export const sequence = (...parts: readonly Pattern[]): Pattern => sequenceOf(parts)

/** Concatenation of an array of parts, which may exceed the number of arguments of a call. */
export const sequenceOf = (parts: readonly Pattern[]): Pattern =>
  parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }

/** Alternation of the parts. */
export const choice = (...parts: readonly Pattern[]): Pattern => choiceOf(parts)

/** Alternation of an array of parts, which may exceed the number of arguments of a call. */
export const choiceOf = (parts: readonly Pattern[]): Pattern =>
  parts.length === 1 ? parts[0]! : { kind: 'choice', parts }

/** Repetition of a part, `min` to `max` times; `max` may be `Infinity`. */
export const repeat = (part: Pattern, min: number, max: number): Pattern => ({ kind: 'repeat', part, min, max })

/** A part or the empty text. */
export const optional = (part: Pattern): Pattern => repeat(part, 0, 1)

/** The empty language: matches nothing. */
export const NOTHING: Pattern = choice()

/** Exactly this text; {@link NOTHING} for a text with a lone surrogate, which UTF-8 cannot encode. */
export const literal = (text: string): Pattern => (text.isWellFormed() ? { kind: 'text', text } : NOTHING)

/** Matches only the empty text. */
export const EMPTY: Pattern = sequence()
