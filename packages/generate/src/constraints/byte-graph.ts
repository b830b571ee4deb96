import type { Budget } from '@attune/core'
import { type Pattern, type Span } from './pattern.js'
import { tooLarge } from './pattern-error.js'
import { utf8Spans } from './utf8-spans.js'

/** A byte of a range, and where it leads. */
export interface Edge {
  readonly first: number
  readonly last: number
  readonly to: number
}

/**
 * A non-deterministic automaton over bytes. A state has edges, or leads on to others without reading, or accepts (state 0).
 */
export interface ByteGraph {
  readonly start: number
  readonly edges: readonly (readonly Edge[])[]
  readonly free: readonly (readonly number[])[]
}

/** The state that accepts. */
export const ACCEPT = 0

/** About 30 MB. */
const MOST_STATES = 100_000

/** Deeper trees would exhaust the stack. */
const DEEPEST = 2000

/** What a state costs, in steps of the budget. */
const STEPS_PER_STATE = 60

/** The states that read one character of a set, in the order in which they are added; `next` is one before, or none. */
interface SetStates {
  readonly tails: readonly { readonly first: number; readonly last: number; readonly next: number }[]
  readonly edges: SetStates['tails']
}

interface Growing {
  readonly edges: Edge[][]
  readonly free: number[][]
  /** What a pattern before a state became: shared parts of a tree become shared states. */
  readonly known: Map<Pattern, Map<number, number>>
  /** What is worked out of a set, which may be repeated thousands of times. */
  readonly sets: Map<readonly Span[], SetStates>
  readonly budget: Budget
}

function add(graph: Growing, edges: Edge[], free: number[]): number {
  if (graph.edges.length >= MOST_STATES) throw tooLarge(`this one has more than ${MOST_STATES} states`)
  graph.budget.spend(STEPS_PER_STATE + 10 * edges.length)
  graph.free.push(free)
  return graph.edges.push(edges) - 1
}

/** The end of a character, as `next` of its last byte. */
const END = -1

/** The states of a set. Ends of characters are shared. */
function statesOf(spans: readonly Span[], budget: Budget): SetStates {
  const tails: SetStates['tails'][number][] = []
  const shared = new Map<string, number>()
  const after = (bytes: readonly Span[]): number => {
    if (bytes.length === 0) return END
    const name = bytes.join()
    const known = shared.get(name)
    if (known !== undefined) return known
    const [first, last] = bytes[0]!
    const next = after(bytes.slice(1))
    shared.set(name, tails.length)
    return tails.push({ first, last, next }) - 1
  }
  budget.spend(300 * spans.length)
  const sequences = utf8Spans(spans)
  budget.spend(300 * sequences.length)
  const edges = sequences.map((bytes) => ({ first: bytes[0]![0], last: bytes[0]![1], next: after(bytes.slice(1)) }))
  return { tails, edges }
}

/** The states that read one character of a set before `to`. */
function addSet(graph: Growing, spans: readonly Span[], to: number): number {
  const states = graph.sets.get(spans) ?? statesOf(spans, graph.budget)
  graph.sets.set(spans, states)
  const base = graph.edges.length
  const edge = ({ first, last, next }: SetStates['tails'][number]): Edge => ({
    first,
    last,
    to: next === END ? to : base + next,
  })
  for (const tail of states.tails) add(graph, [edge(tail)], [])
  return add(graph, states.edges.map(edge), [])
}

/** The states that read a text before `to`. */
function addText(graph: Growing, text: string, to: number): number {
  let state = to
  for (const byte of new TextEncoder().encode(text).reverse())
    state = add(graph, [{ first: byte, last: byte, to: state }], [])
  return state
}

function addRepeat(graph: Growing, pattern: Pattern & { kind: 'repeat' }, to: number, depth: number): number {
  const { part, least, most } = pattern
  let state = to
  if (most === Infinity) {
    const loop = add(graph, [], [])
    graph.free[loop]!.push(addBefore(graph, part, loop, depth + 1), to)
    state = loop
  } else
    for (let count = least; count < most; count++) {
      const before = addBefore(graph, part, state, depth + 1)
      if (before === state) break // A part that is empty is not made longer by repeating it.
      state = add(graph, [], [before, to])
    }
  for (let count = 0; count < least; count++) {
    const before = addBefore(graph, part, state, depth + 1)
    if (before === state) break
    state = before
  }
  return state
}

/** The state from which a pattern leads to `to`. */
function addBefore(graph: Growing, pattern: Pattern, to: number, depth: number): number {
  if (depth > DEEPEST) throw tooLarge(`this one is nested more than ${DEEPEST} deep`)
  graph.budget.spend(20)
  const before = graph.known.get(pattern)?.get(to)
  if (before !== undefined) return before
  let state = to
  if (pattern.kind === 'set') state = addSet(graph, pattern.spans, to)
  else if (pattern.kind === 'text') state = addText(graph, pattern.text, to)
  else if (pattern.kind === 'repeat') state = addRepeat(graph, pattern, to, depth)
  else if (pattern.kind === 'sequence')
    // Loops, and no callbacks, which would need more of the stack.
    for (let i = pattern.parts.length - 1; i >= 0; i--) state = addBefore(graph, pattern.parts[i]!, state, depth + 1)
  else {
    const states: number[] = []
    for (const part of pattern.parts) states.push(addBefore(graph, part, to, depth + 1))
    state = add(graph, [], states)
  }
  const known = graph.known.get(pattern) ?? new Map<number, number>()
  graph.known.set(pattern, known.set(to, state))
  return state
}

/**
 * The automaton of a pattern over the bytes of UTF-8, after Thompson, Regular Expression Search Algorithm, 1968: built from
 * the end, so that each part knows where it leads. Bytes and not characters, because a token may hold a part of a character.
 * @throws AttuneError `PATTERN_TOO_LARGE`
 */
export function byteGraph(pattern: Pattern, budget: Budget): ByteGraph {
  const graph: Growing = { edges: [[]], free: [[]], known: new Map(), sets: new Map(), budget }
  const start = addBefore(graph, pattern, ACCEPT, 0)
  return { start, edges: graph.edges, free: graph.free }
}
