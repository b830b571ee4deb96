import type { Budget } from '@attune/core'
import { fail } from './failure.js'

/** Where statements write: the text of the template, of a macro, of a block. */
export interface Sink {
  text: string
  /** True if positions in this text are positions in the text of the template. */
  readonly isRoot: boolean
}

/** Start and end in UTF-16 units. */
export type Span = readonly [start: number, end: number]

/** State of one rendering. */
export interface Runtime {
  /** Counts elementary operations, some 5 ns each. */
  readonly spend: Budget['spend']
  /** Counts bytes that a rendering may keep. */
  readonly hold: Budget['hold']
  /** The clock of `strftime_now`. */
  readonly now: () => Date
  sink: Sink
  /** Line of the template's statement that runs. */
  line: number
  /** Levels of syntax that macros have entered. */
  depth: number
  /** True inside `{% autoescape true %}`. */
  autoescape: boolean
  /** Namespaces whose text is being made. */
  readonly open: Set<object>
  /** Parts of the text that `{% generation %}` blocks wrote. */
  readonly spans: Span[]
  /** True if a `{% generation %}` block wrote where its position in the text is unknown. */
  hasHiddenSpan: boolean
}

/** Longest text that a template may make, in UTF-16 units. */
const MAXIMUM_TEXT = 50_000_000

/** Makes the state of a rendering that spends from this budget. */
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
 * Longest text that is paid for in full when it is concatenated. V8 makes one piece of a longer one only when it is read: then it is paid for.
 */
const SHORT = 1024

/** Counts the memory of a text that is read from end to end. */
export function holdText(rt: Runtime, text: string): void {
  if (text.length > SHORT) rt.hold(2 * text.length)
}

/** Charges for reading a text from end to end. */
export function charge(rt: Runtime, text: string): void {
  rt.spend(2 + (text.length >> 2))
  holdText(rt, text)
}

/** Charges for making a text of this length, before it is made. */
export function chargeText(rt: Runtime, length: number): void {
  if (!(length <= MAXIMUM_TEXT))
    fail('OverflowError', `it makes a text of ${length} characters, more than a template may`)
  rt.spend(4 + (length >> 2))
  rt.hold(32 + 2 * length)
}

/** Charges for making a list, tuple or dict of this many entries, before it is made. */
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

/** Runs what writes, and returns what it wrote. */
export function captured(rt: Runtime, run: () => void): string {
  const { sink } = rt
  rt.sink = { text: '', isRoot: false }
  run()
  const { text } = rt.sink
  rt.sink = sink
  return text
}
