import type { Budget } from '@attune/core'
import { type Pattern, type Span } from './pattern.js'
import { tooLarge } from './pattern-error.js'
import { utf8Spans } from './utf8-spans.js'

/** Transition by a byte range. */
export interface Edge {
  readonly first: number
  readonly last: number
  readonly to: number
}

/**
 * Non-deterministic finite automaton over bytes. Each state has byte edges, or epsilon edges (`epsilon`), or accepts (state 0).
 */
export interface ByteGraph {
  readonly start: number
  readonly edges: readonly (readonly Edge[])[]
  readonly epsilon: readonly (readonly number[])[]
}

/** Accepting state. */
export const ACCEPT = 0

/** About 30 MB. */
const MAX_STATES = 100_000

/** Deeper trees would overflow the stack. */
const MAX_DEPTH = 2000

/** Cost of a state, in budget steps. */
const STEPS_PER_STATE = 60

/** States that read one character of a set, in insertion order; `next` is the index of an earlier one, or {@link END}. */
interface SetStates {
  readonly tails: readonly { readonly first: number; readonly last: number; readonly next: number }[]
  readonly edges: SetStates['tails']
}

interface GraphBuilder {
  readonly edges: Edge[][]
  readonly epsilon: number[][]
  /** Start state of each pattern before a target state: shared subtrees become shared states. */
  readonly known: Map<Pattern, Map<number, number>>
  /** States of each set, which may be repeated thousands of times. */
  readonly sets: Map<readonly Span[], SetStates>
  readonly budget: Budget
  readonly maximumStates: number
}

function add(graph: GraphBuilder, edges: Edge[], epsilon: number[]): number {
  const { maximumStates } = graph
  if (graph.edges.length >= maximumStates) throw tooLarge(`the pattern has more than ${maximumStates} states`)
  graph.budget.spend(STEPS_PER_STATE + 10 * edges.length)
  graph.epsilon.push(epsilon)
  return graph.edges.push(edges) - 1
}

/** End of a character, as `next` of its last byte. */
const END = -1

/** States that read one character of a set. Common suffixes of characters are shared. */
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

/** Adds the states that read one character of a set before `to`. */
function addSet(graph: GraphBuilder, spans: readonly Span[], to: number): number {
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

/** Adds the states that read a text before `to`. */
function addText(graph: GraphBuilder, text: string, to: number): number {
  let state = to
  for (const byte of new TextEncoder().encode(text).reverse())
    state = add(graph, [{ first: byte, last: byte, to: state }], [])
  return state
}

function addRepeat(graph: GraphBuilder, pattern: Pattern & { kind: 'repeat' }, to: number, depth: number): number {
  const { part, min, max } = pattern
  let state = to
  if (max === Infinity) {
    const loop = add(graph, [], [])
    graph.epsilon[loop]!.push(addBefore(graph, part, loop, depth + 1), to)
    state = loop
  } else
    for (let count = min; count < max; count++) {
      const before = addBefore(graph, part, state, depth + 1)
      if (before === state) break // Repeating an empty part adds nothing.
      state = add(graph, [], [before, to])
    }
  for (let count = 0; count < min; count++) {
    const before = addBefore(graph, part, state, depth + 1)
    if (before === state) break
    state = before
  }
  return state
}

function addMachine(graph: GraphBuilder, pattern: Pattern & { kind: 'machine' }, to: number, depth: number): number {
  const { size, edges, accepting } = pattern
  const states: number[] = []
  for (let i = 0; i < size; i++) states.push(add(graph, [], accepting[i] === true ? [to] : []))
  for (const { from, part, to: target } of edges)
    graph.epsilon[states[from]!]!.push(addBefore(graph, part, states[target]!, depth + 1))
  return states[0]!
}

/** Adds a pattern before `to` and returns its start state. */
function addBefore(graph: GraphBuilder, pattern: Pattern, to: number, depth: number): number {
  if (depth > MAX_DEPTH) throw tooLarge(`the pattern is nested more than ${MAX_DEPTH} deep`)
  graph.budget.spend(20)
  const before = graph.known.get(pattern)?.get(to)
  if (before !== undefined) return before
  let state = to
  if (pattern.kind === 'set') state = addSet(graph, pattern.spans, to)
  else if (pattern.kind === 'text') state = addText(graph, pattern.text, to)
  else if (pattern.kind === 'repeat') state = addRepeat(graph, pattern, to, depth)
  else if (pattern.kind === 'machine') state = addMachine(graph, pattern, to, depth)
  else if (pattern.kind === 'sequence')
    // Loops instead of callbacks, which would use more stack.
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
 * Automaton of a pattern over UTF-8 bytes, by Thompson's construction (Regular Expression Search Algorithm, 1968), built from the
 * end so that each part knows its target. It reads bytes rather than characters because a token may end inside a character.
 * @throws AttuneError `PATTERN_TOO_LARGE`
 */
export function byteGraph(pattern: Pattern, budget: Budget, maximumStates = MAX_STATES): ByteGraph {
  const graph: GraphBuilder = { edges: [[]], epsilon: [[]], known: new Map(), sets: new Map(), budget, maximumStates }
  const start = addBefore(graph, pattern, ACCEPT, 0)
  return { start, edges: graph.edges, epsilon: graph.epsilon }
}
