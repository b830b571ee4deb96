import type { Budget } from '@attune/core'
import { fail } from './failure.js'

/** Output of statements: the text of the template, of a macro or of a block. */
export interface Sink {
  text: string
  /** True if positions in this text are positions in the text of the template. */
  readonly isRoot: boolean
}

/** Start and end in UTF-16 units. */
export type Span = readonly [start: number, end: number]

/** State of one rendering. */
export interface Runtime {
  /** Counts elementary operations of about 5 ns. */
  readonly spend: Budget['spend']
  /** Counts bytes that a rendering may keep. */
  readonly hold: Budget['hold']
  /** Clock of `strftime_now`. */
  readonly now: () => Date
  sink: Sink
  /** Line of the running statement in the template. */
  line: number
  /** Nesting depth of syntax in the running macros. */
  depth: number
  /** True inside `{% autoescape true %}`. */
  autoescape: boolean
  /** Namespaces that are being converted to text. */
  readonly open: Set<object>
  /** Output ranges of `{% generation %}` blocks. */
  readonly spans: Span[]
  /** True if the output position of a `{% generation %}` block is unknown. */
  hasHiddenSpan: boolean
}

/** Maximum length of a text in UTF-16 units. */
const MAXIMUM_TEXT = 50_000_000

/** Creates the state of a rendering with a budget. */
export const createRuntime = ({ spend, hold }: Pick<Budget, 'spend' | 'hold'>, now: () => Date): Runtime => ({
  spend,
  hold,
  now,
  sink: { text: '', isRoot: true },
  line: 1,
  depth: 0,
  autoescape: false,
  open: new Set(),
  spans: [],
  hasHiddenSpan: false,
})

/**
 * Maximum length of a text that is charged in full on concatenation. V8 flattens a longer one only when it is read, and it is
 * charged then.
 */
const SHORT = 1024

/** Accounts for the memory of a text that is read completely. */
export function holdText(rt: Runtime, text: string): void {
  if (text.length > SHORT) rt.hold(2 * text.length)
}

/** Charges for reading a text completely. */
export function charge(rt: Runtime, text: string): void {
  rt.spend(2 + (text.length >> 2))
  holdText(rt, text)
}

/** Charges for creating a text of this length, before it is created. */
export function chargeText(rt: Runtime, length: number): void {
  if (!(length <= MAXIMUM_TEXT))
    fail('OverflowError', `expected a text of at most ${MAXIMUM_TEXT} characters, got ${length}`)
  rt.spend(4 + (length >> 2))
  rt.hold(32 + 2 * length)
}

/** Charges for creating a list, tuple or dict with this many entries, before it is created. */
export function chargeEntries(rt: Runtime, count: number): void {
  rt.spend(10 + 4 * count)
  rt.hold(64 + 16 * count)
}

/** Concatenates two texts. */
export function concat(rt: Runtime, left: string, right: string): string {
  const length = left.length + right.length
  if (length > MAXIMUM_TEXT) chargeText(rt, length)
  rt.spend(2)
  rt.hold(length > SHORT ? 32 : 32 + 2 * length)
  return left + right
}

/** Writes to the output. */
export function write(rt: Runtime, text: string): void {
  const length = text.length
  rt.spend(2 + (length >> 3))
  rt.hold(32 + 2 * length)
  rt.sink.text += text
}

/** Runs a function and returns the text that it wrote. */
export function captureOutput(rt: Runtime, run: () => void): string {
  const { sink } = rt
  rt.sink = { text: '', isRoot: false }
  run()
  const { text } = rt.sink
  rt.sink = sink
  return text
}
