import type { Budget } from '@attune/core'
import type { Pattern, Span } from './pattern.js'
import { tooLarge } from './pattern-error.js'

/** Transition by a set of characters. */
interface CharacterEdge {
  readonly spans: readonly Span[]
  readonly to: number
}

/** Non-deterministic automaton over characters. */
export interface CharacterGraph {
  readonly start: number
  readonly accept: number
  readonly edges: readonly (readonly CharacterEdge[])[]
  /** Sorted states that are reachable without reading, and that read or accept. */
  closure(states: readonly number[]): number[]
}

const MAX_STATES = 20_000

/** States and transitions of an automaton that is being built. */
function graphBuilder(budget: Budget) {
  const edges: CharacterEdge[][] = []
  const epsilon: number[][] = []
  return {
    edges,
    epsilon,
    add(own: CharacterEdge[], free: number[]): number {
      if (edges.length >= MAX_STATES) throw tooLarge(`a string has more than ${MAX_STATES} states`)
      budget.spend(60)
      epsilon.push(free)
      return edges.push(own) - 1
    },
  }
}

/** Returns a function that adds a pattern before a state and returns its start state. */
function patternAdder({ add, epsilon, edges: own }: ReturnType<typeof graphBuilder>, budget: Budget) {
  const repeated = ({ part, min, max }: Pattern & { kind: 'repeat' }, to: number): number => {
    let state = to
    if (max === Infinity) {
      state = add([], [])
      epsilon[state]!.push(before(part, state), to)
    } else for (let count = min; count < max; count++) state = add([], [before(part, state), to])
    for (let count = 0; count < min; count++) state = before(part, state)
    return state
  }
  const machine = ({ size, edges, accepting }: Pattern & { kind: 'machine' }, to: number): number => {
    const states = Array.from({ length: size }, (_, i) => add([], accepting[i] === true ? [to] : []))
    for (const { from, part, to: target } of edges)
      if (part.kind === 'set') {
        budget.spend(20)
        own[states[from]!]!.push({ spans: part.spans, to: states[target]! })
      } else epsilon[states[from]!]!.push(before(part, states[target]!))
    return states[0]!
  }
  const character = (text: string, to: number): number => {
    const codePoint = text.codePointAt(0)!
    return add([{ spans: [[codePoint, codePoint]], to }], [])
  }
  const before = (part: Pattern, to: number): number => {
    budget.spend(20)
    if (part.kind === 'set') return add([{ spans: part.spans, to }], [])
    if (part.kind === 'text') return Array.from(part.text).reduceRight((next, each) => character(each, next), to)
    if (part.kind === 'sequence') return part.parts.reduceRight((next, each) => before(each, next), to)
    if (part.kind === 'repeat') return repeated(part, to)
    if (part.kind === 'machine') return machine(part, to)
    const starts = part.parts.map((each) => before(each, to))
    return add([], starts)
  }
  return before
}

/** Automaton of a pattern over characters, by Thompson's construction. */
export function characterGraph(pattern: Pattern, budget: Budget): CharacterGraph {
  const graph = graphBuilder(budget)
  const { edges, epsilon } = graph
  const accept = graph.add([], [])
  const start = patternAdder(graph, budget)(pattern, accept)
  const closure = (states: readonly number[]): number[] => {
    const seen = new Set<number>()
    const waiting = [...states]
    for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
      if (seen.has(state)) continue
      seen.add(state)
      for (const to of epsilon[state]!) waiting.push(to)
    }
    budget.spend(10 * seen.size)
    return [...seen].filter((state) => edges[state]!.length > 0 || state === accept).sort((a, b) => a - b)
  }
  return { start, accept, edges, closure }
}

/** Returns a test of texts against a pattern as a whole. */
export function textTest(pattern: Pattern, budget: Budget): (text: string) => boolean {
  const graph = characterGraph(pattern, budget)
  return (text) => {
    let states = graph.closure([graph.start])
    for (const character of text) {
      const codePoint = character.codePointAt(0)!
      const reads = (spans: readonly Span[]): boolean =>
        spans.some(([first, last]) => first <= codePoint && codePoint <= last)
      const edges = states.flatMap((state) => graph.edges[state]!)
      budget.spend(10 + 5 * edges.length)
      states = graph.closure(edges.filter(({ spans }) => reads(spans)).map(({ to }) => to))
    }
    return states.includes(graph.accept)
  }
}
