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

interface Growing {
  readonly edges: Edge[][]
  readonly free: number[][]
  /** What a pattern before a state became: shared parts of a tree become shared states. */
  readonly known: Map<Pattern, Map<number, number>>
}

function add(graph: Growing, edges: Edge[], free: number[]): number {
  if (graph.edges.length >= MOST_STATES) throw tooLarge(`this one has more than ${MOST_STATES} states`)
  graph.free.push(free)
  return graph.edges.push(edges) - 1
}

/** The states that read one character of a set before `to`. Ends of characters are shared. */
function addSet(graph: Growing, spans: readonly Span[], to: number): number {
  const shared = new Map<string, number>()
  const after = (bytes: readonly Span[]): number => {
    if (bytes.length === 0) return to
    const name = bytes.join()
    const known = shared.get(name)
    if (known !== undefined) return known
    const [first, last] = bytes[0]!
    const state = add(graph, [{ first, last, to: after(bytes.slice(1)) }], [])
    shared.set(name, state)
    return state
  }
  const edges = utf8Spans(spans).map((bytes) => ({
    first: bytes[0]![0],
    last: bytes[0]![1],
    to: after(bytes.slice(1)),
  }))
  return add(graph, edges, [])
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
  const before = graph.known.get(pattern)?.get(to)
  if (before !== undefined) return before
  let state = to
  if (pattern.kind === 'set') state = addSet(graph, pattern.spans, to)
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
export function byteGraph(pattern: Pattern): ByteGraph {
  const graph: Growing = { edges: [[]], free: [[]], known: new Map() }
  const start = addBefore(graph, pattern, ACCEPT, 0)
  return { start, edges: graph.edges, free: graph.free }
}
