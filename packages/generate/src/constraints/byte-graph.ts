import type { Budget } from '@attune/core'
import { END, sharedCharacterStates } from './character-states.js'
import { type Pattern, repeat } from './pattern.js'
import { tooLarge } from './pattern-error.js'
import { type PatternLengths, patternLengths } from './pattern-lengths.js'
import { type UsedBytes, usedBytes } from './used-bytes.js'

/** Transition by a byte range. */
export interface Edge {
  readonly first: number
  readonly last: number
  readonly to: number
}

/** Transitions of one state, and the first step of its shortest text to acceptance. */
export interface GraphState {
  readonly edges: readonly Edge[]
  readonly epsilon: readonly number[]
  /** First byte of the shortest text; −1 if it starts with an epsilon edge, and for the accepting state. */
  readonly byte: number
  /** State after that byte or epsilon edge. */
  readonly next: number
}

/**
 * Non-deterministic finite automaton over bytes, built on demand. Each state has byte edges, or epsilon edges, or accepts (state 0).
 * Acceptance can be reached from every state.
 */
export interface ByteGraph {
  /** Start state; {@link NO_STATE} if nothing matches. */
  readonly start: number
  /** Bytes of the texts that match. */
  readonly used: UsedBytes
  /** Number of states so far. */
  size(): number
  at(state: number): GraphState
}

/** Accepting state. */
export const ACCEPT = 0

/** State of a pattern that matches nothing. */
export const NO_STATE = -1

/** About 100 MB. */
const MAX_STATES = 300_000

/** Cost of a state, in budget steps. */
const STEPS_PER_STATE = 60

/** A state before it is built: it reads a pattern, from an index of its text or its machine on, and continues at a state. */
interface Plan {
  readonly pattern: Pattern
  readonly index: number
  readonly to: number
  /** Bytes of the shortest text to acceptance. */
  readonly length: number
}

/** States and what is known of the patterns they read. */
interface GraphBuilder {
  readonly plans: Plan[]
  readonly built: (GraphState | undefined)[]
  readonly lengths: PatternLengths
  readonly budget: Budget
  readonly characters: ReturnType<typeof sharedCharacterStates>
  readonly encoded: Map<Pattern, Uint8Array>
  /** The remaining repetitions after one, by repetition. */
  readonly rests: Map<Pattern, Pattern>
  /** State of each pattern before a target state: shared subtrees become shared states. */
  readonly known: Map<Pattern, Map<number, number>>
}

function add({ plans, budget }: GraphBuilder, plan: Plan): number {
  if (plans.length >= MAX_STATES) throw tooLarge(`the pattern has more than ${MAX_STATES} states`)
  budget.spend(STEPS_PER_STATE)
  return plans.push(plan) - 1
}

/** Adds a state whose transitions are known. */
function addBuilt(graph: GraphBuilder, pattern: Pattern, edge: Edge): number {
  const length = 1 + graph.plans[edge.to]!.length
  const state = add(graph, { pattern, index: 0, to: edge.to, length })
  graph.built[state] = { edges: [edge], epsilon: [], byte: edge.first, next: edge.to }
  return state
}

/** State that reads a pattern, from an index on, and continues at `to`; created once. */
function stateOf(graph: GraphBuilder, pattern: Pattern, index: number, to: number): number {
  const own = pattern.kind === 'machine' ? graph.lengths.endings(pattern).length[index]! : graph.lengths.of(pattern)
  if (own === Infinity) return NO_STATE
  const name = pattern.kind === 'machine' ? to * pattern.size + index : to
  const states = graph.known.get(pattern) ?? new Map<number, number>()
  const known = states.get(name)
  if (known !== undefined) return known
  const state = add(graph, { pattern, index, to, length: own + graph.plans[to]!.length })
  graph.known.set(pattern, states.set(name, state))
  return state
}

/** True for a pattern that is written so that it matches only the empty text. */
const isEmpty = (pattern: Pattern): boolean =>
  (pattern.kind === 'text' && pattern.text === '') ||
  (pattern.kind === 'repeat' && (pattern.max === 0 || isEmpty(pattern.part))) ||
  (pattern.kind === 'sequence' && pattern.parts.every(isEmpty))

/** State that reads a pattern and continues at `to`. */
function before(graph: GraphBuilder, pattern: Pattern, to: number): number {
  let state = to
  // Sequences nest deeper than the call stack.
  const waiting = [pattern]
  for (let part = waiting.pop(); part !== undefined && state !== NO_STATE; part = waiting.pop()) {
    graph.budget.spend(20)
    if (part.kind === 'sequence') for (const each of part.parts) waiting.push(each)
    else if ((part.kind !== 'text' && part.kind !== 'repeat') || !isEmpty(part)) state = stateOf(graph, part, 0, state)
  }
  return state
}

function textState(graph: GraphBuilder, { pattern, index, to, length }: Plan, text: string): GraphState {
  const bytes = graph.encoded.get(pattern) ?? new TextEncoder().encode(text)
  graph.encoded.set(pattern, bytes)
  const next = index + 1 === bytes.length ? to : add(graph, { pattern, index: index + 1, to, length: length - 1 })
  const byte = bytes[index]!
  return { edges: [{ first: byte, last: byte, to: next }], epsilon: [], byte, next }
}

function setState(graph: GraphBuilder, { pattern, to, length }: Plan): GraphState {
  const { tails, edges } = graph.characters((pattern as Pattern & { kind: 'set' }).spans)
  const states: number[] = []
  const target = (next: number): number => (next === END ? to : states[next]!)
  for (const { first, last, next } of tails) states.push(addBuilt(graph, pattern, { first, last, to: target(next) }))
  graph.budget.spend(10 * edges.length)
  const own = edges.map(({ first, last, next }): Edge => ({ first, last, to: target(next) }))
  const shortest = own.find((edge) => 1 + graph.plans[edge.to]!.length === length)!
  return { edges: own, epsilon: [], byte: shortest.first, next: shortest.to }
}

const epsilonState = (epsilon: readonly number[], next: number): GraphState => ({ edges: [], epsilon, byte: -1, next })

function choiceState(graph: GraphBuilder, { to, length }: Plan, parts: readonly Pattern[]): GraphState {
  const states = new Set(parts.map((part) => before(graph, part, to)))
  states.delete(NO_STATE)
  const epsilon = [...states]
  return epsilonState(
    epsilon,
    epsilon.find((state) => graph.plans[state]!.length === length)!,
  )
}

function repeatState(graph: GraphBuilder, { to }: Plan, own: Pattern & { kind: 'repeat' }): GraphState {
  const { part, min, max } = own
  const isLoop = min === 0 && max === Infinity
  const rest = isLoop ? own : (graph.rests.get(own) ?? repeat(part, Math.max(0, min - 1), max - 1))
  graph.rests.set(own, rest)
  const once = before(graph, part, before(graph, rest, to))
  if (min > 0) return epsilonState([once], once)
  return epsilonState(once === NO_STATE ? [to] : [once, to], to)
}

function machineState(graph: GraphBuilder, { index, to }: Plan, own: Pattern & { kind: 'machine' }): GraphState {
  const { from, first } = graph.lengths.endings(own)
  const after = (edge: { readonly part: Pattern; readonly to: number }): number => {
    const target = stateOf(graph, own, edge.to, to)
    return target === NO_STATE ? NO_STATE : before(graph, edge.part, target)
  }
  const epsilon = from[index]!.map(after).filter((state) => state !== NO_STATE)
  if (own.accepting[index] === true) epsilon.push(to)
  const shortest = first[index]
  return epsilonState(epsilon, shortest === undefined ? to : after(shortest))
}

function build(graph: GraphBuilder, state: number): GraphState {
  const plan = graph.plans[state]!
  const { pattern } = plan
  if (state === ACCEPT) return epsilonState([], ACCEPT)
  if (pattern.kind === 'text') return textState(graph, plan, pattern.text)
  if (pattern.kind === 'set') return setState(graph, plan)
  if (pattern.kind === 'repeat') return repeatState(graph, plan, pattern)
  if (pattern.kind === 'machine') return machineState(graph, plan, pattern)
  return choiceState(graph, plan, pattern.parts)
}

/**
 * Automaton of a pattern over UTF-8 bytes, by Thompson's construction (Regular Expression Search Algorithm, 1968). A state is built
 * when it is first asked for: it knows its target, and the length of the shortest text to acceptance, from the lengths of the
 * patterns. It reads bytes rather than characters because a token may end inside a character.
 * @throws AttuneError `PATTERN_TOO_LARGE`, also from `at`
 */
export function byteGraph(pattern: Pattern, budget: Budget): ByteGraph {
  const characters = sharedCharacterStates(budget)
  const lengths = patternLengths(budget)
  const end: Plan = { pattern, index: 0, to: ACCEPT, length: 0 }
  const graph: GraphBuilder = {
    ...{ plans: [end], built: [], lengths, budget, characters },
    ...{ encoded: new Map(), rests: new Map(), known: new Map() },
  }
  const start = lengths.of(pattern) === Infinity ? NO_STATE : before(graph, pattern, ACCEPT)
  return {
    start,
    used: usedBytes(pattern, lengths, characters, budget),
    size: () => graph.plans.length,
    at(state) {
      const known = graph.built[state]
      if (known !== undefined) return known
      const own = build(graph, state)
      budget.spend(20 + 10 * (own.edges.length + own.epsilon.length))
      graph.built[state] = own
      return own
    },
  }
}
