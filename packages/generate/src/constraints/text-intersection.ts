import type { Budget } from '@attune/core'
import { normalized } from './character-set.js'
import { NOTHING, type Pattern, type Span, set } from './pattern.js'
import { tooLarge } from './pattern-error.js'
import { type CharacterGraph, characterGraph } from './character-graph.js'

/** A pattern that texts must match, or must not match. */
export interface Condition {
  readonly pattern: Pattern
  readonly negated: boolean
}

/** Limits of the length of a text, in characters. */
export interface Lengths {
  readonly min: number
  readonly max: number
}

const MAX_STATES = 20_000

/** First characters of classes: characters of one class are not distinguished by any graph. */
function classStarts(graphs: readonly CharacterGraph[]): number[] {
  const starts = new Set([0])
  for (const { edges } of graphs)
    for (const { spans } of edges.flat()) for (const [first, last] of spans) starts.add(first).add(last + 1)
  return [...starts].filter((start) => start <= 0x10ffff).sort((a, b) => a - b)
}

/** Classes of a set of characters, computed once for each set. */
function classesIn(starts: readonly number[]) {
  const known = new Map<readonly Span[], readonly number[]>()
  const own = (spans: readonly Span[]): number[] =>
    spans.flatMap(([first, last]) => {
      let [low, high] = [0, starts.length]
      while (low < high) {
        const middle = (low + high) >> 1
        if (starts[middle]! < first) low = middle + 1
        else high = middle
      }
      const classes: number[] = []
      for (let i = low; i < starts.length && starts[i]! <= last; i++) classes.push(i)
      return classes
    })
  return (spans: readonly Span[]): readonly number[] => {
    const classes = known.get(spans) ?? own(spans)
    known.set(spans, classes)
    return classes
  }
}

/** Deterministic steps of one graph: sets of its states, numbered; 0 is the empty set. */
function subsetSteps(graph: CharacterGraph, starts: readonly number[], budget: Budget) {
  const sets: number[][] = [[]]
  const numbers = new Map<string, number>([['', 0]])
  const numberOf = (states: readonly number[]): number => {
    const closed = graph.closure(states)
    budget.spend(50 + 30 * closed.length)
    const name = closed.join()
    const known = numbers.get(name)
    if (known !== undefined) return known
    if (sets.length > MAX_STATES) throw tooLarge(`a string has more than ${MAX_STATES} states`)
    numbers.set(name, sets.length)
    return sets.push(closed) - 1
  }
  const rows: Int32Array[] = []
  const classesOf = classesIn(starts)
  const rowOf = (state: number): Int32Array => {
    const targets = starts.map((): number[] => [])
    for (const member of sets[state]!)
      for (const { spans, to } of graph.edges[member]!) {
        const classes = classesOf(spans)
        budget.spend(10 + 2 * classes.length)
        for (const i of classes) targets[i]!.push(to)
      }
    return Int32Array.from(targets, (each) => (each.length === 0 ? 0 : numberOf(each)))
  }
  return {
    start: numberOf([graph.start]),
    row: (state: number): Int32Array => (rows[state] ??= rowOf(state)),
    accepts: (state: number): boolean => sets[state]!.includes(graph.accept),
  }
}

interface Explored {
  readonly rows: readonly (readonly number[])[]
  readonly accepting: readonly boolean[]
}

/** Parts of a product: deterministic steps, and whether each must not accept. */
type Parts = readonly (ReturnType<typeof subsetSteps> & { readonly negated: boolean })[]

/** Numbers the states of a product of deterministic graphs and a character count. */
function productStates(parts: Parts, budget: Budget) {
  const numbers = new Map<string | number, number>()
  // States are fewer than 2^15, so two of them and a count below 2^20 make a number.
  const nameOf = (at: readonly number[], count: number): string | number =>
    at.length > 2 || count >= 2 ** 20 ? `${at.join()};${count}` : (at[0]! * 2 ** 15 + (at[1] ?? 0)) * 2 ** 20 + count
  const states: { readonly at: readonly number[]; readonly count: number }[] = []
  return {
    states,
    numberOf(at: readonly number[], count: number): number {
      if (at.some((state, i) => state === 0 && !parts[i]!.negated)) return -1
      const name = nameOf(at, count)
      const known = numbers.get(name)
      if (known !== undefined) return known
      if (states.length >= MAX_STATES) throw tooLarge(`a string has more than ${MAX_STATES} states`)
      budget.spend(200)
      numbers.set(name, states.length)
      return states.push({ at, count }) - 1
    },
  }
}

/** Explores the product of deterministic graphs and a character count. */
function explore(parts: Parts, columns: number, { min, max }: Lengths, budget: Budget): Explored {
  const counted = max < Infinity ? max : min
  const { states, numberOf } = productStates(parts, budget)
  numberOf(
    parts.map(({ start }) => start),
    0,
  )
  const rows: number[][] = []
  const accepting: boolean[] = []
  for (const { at, count } of states) {
    budget.spend(20 * columns * (1 + parts.length))
    accepting.push(count >= min && at.every((state, i) => parts[i]!.accepts(state) !== parts[i]!.negated))
    const next = Math.min(count + 1, counted)
    const own = at.map((state, i) => parts[i]!.row(state))
    const targets: number[] = []
    const row: number[] = []
    for (let column = 0; column < columns && count < max; column++) {
      // Neighbouring classes mostly lead to the same states.
      const isSame = column > 0 && own.every((each, i) => each[column] === targets[i])
      if (!isSame) own.forEach((each, i) => (targets[i] = each[column]!))
      row.push(isSame ? row[column - 1]! : numberOf(targets.slice(), next))
    }
    rows.push(row)
  }
  return { rows, accepting }
}

/** States from which an accepting one can be reached. */
function liveStates({ rows, accepting }: Explored): boolean[] {
  const sources = rows.map((): number[] => [])
  rows.forEach((row, from) => {
    for (const to of new Set(row)) if (to >= 0) sources[to]!.push(from)
  })
  const live = accepting.slice()
  const waiting = Array.from(live.keys()).filter((state) => live[state])
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop())
    for (const from of sources[state]!)
      if (!live[from]) {
        live[from] = true
        waiting.push(from)
      }
  return live
}

/**
 * Pattern of the texts that satisfy all conditions and have a length within limits: the product of deterministic automata over
 * characters.
 * @throws AttuneError `PATTERN_TOO_LARGE`
 */
export function intersectTexts(conditions: readonly Condition[], lengths: Lengths, budget: Budget): Pattern {
  const graphs = conditions.map(({ pattern }) => characterGraph(pattern, budget))
  const starts = classStarts(graphs)
  const parts = graphs.map((graph, i) => ({
    ...subsetSteps(graph, starts, budget),
    negated: conditions[i]!.negated,
  }))
  const explored = explore(parts, starts.length, lengths, budget)
  const live = liveStates(explored)
  if (!live[0]) return NOTHING
  const sets = new Map<string, Pattern>()
  const edges = explored.rows.flatMap((row, from) => {
    const spans = new Map<number, Span[]>()
    row.forEach((to, column) => {
      if (to < 0 || !live[to]) return
      const own = spans.get(to) ?? []
      own.push([starts[column]!, (starts[column + 1] ?? 0x110000) - 1])
      spans.set(to, own)
    })
    return Array.from(spans, ([to, own]) => {
      const joined = normalized(own)
      const part = sets.get(joined.join(';')) ?? set(joined)
      sets.set(joined.join(';'), part)
      return { from, to, part }
    }).filter(() => live[from])
  })
  budget.hold(200 * edges.length)
  return { kind: 'machine', size: explored.rows.length, edges, accepting: explored.accepting }
}
