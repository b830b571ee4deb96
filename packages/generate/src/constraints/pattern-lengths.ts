import type { Budget } from '@attune/core'
import type { MachineEdge, Pattern, Span } from './pattern.js'

type Machine = Pattern & { readonly kind: 'machine' }

/** Shortest ways through a machine, and its edges by their first state. */
export interface MachineEndings {
  /** By state: bytes of the shortest text to the end; `Infinity` if there is none. */
  readonly length: readonly number[]
  /** By state: the first edge of that text; `undefined` if the text is empty. */
  readonly first: readonly (MachineEdge | undefined)[]
  readonly from: readonly (readonly MachineEdge[])[]
}

/** Lengths of the shortest texts of patterns. */
export interface PatternLengths {
  /** Bytes of the shortest text that matches; `Infinity` if none does. */
  of(pattern: Pattern): number
  endings(machine: Machine): MachineEndings
}

/** First surrogate, and the first character after the surrogates. */
const [SURROGATE, AFTER_SURROGATES] = [0xd800, 0xe000]

function characterLength([first, last]: Span): number {
  const character = first >= SURROGATE && first < AFTER_SURROGATES ? AFTER_SURROGATES : first
  if (character > last) return Infinity
  return character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4
}

/** Patterns that a pattern consists of. */
export function partsOf(pattern: Pattern): readonly Pattern[] {
  if (pattern.kind === 'sequence' || pattern.kind === 'choice') return pattern.parts
  if (pattern.kind === 'repeat') return [pattern.part]
  return pattern.kind === 'machine' ? pattern.edges.map(({ part }) => part) : []
}

/** Shortest ways by relaxation from the accepting states backwards. */
function machineEndings({ size, edges, accepting }: Machine, lengthOf: (part: Pattern) => number, budget: Budget) {
  const from = Array.from({ length: size }, (): MachineEdge[] => [])
  const into = Array.from({ length: size }, (): MachineEdge[] => [])
  for (const edge of edges) {
    from[edge.from]!.push(edge)
    into[edge.to]!.push(edge)
  }
  budget.spend(50 * (size + edges.length))
  const length = new Array<number>(size).fill(Infinity)
  const first = new Array<MachineEdge | undefined>(size).fill(undefined)
  const waiting = length.flatMap((_, state) => (accepting[state] === true ? [state] : []))
  for (const state of waiting) length[state] = 0
  // The list grows during iteration: a state is visited again whenever its length falls.
  for (const state of waiting)
    for (const edge of into[state]!) {
      budget.spend(5)
      const longer = length[state]! + lengthOf(edge.part)
      if (!(longer < length[edge.from]!)) continue
      length[edge.from] = longer
      first[edge.from] = edge
      waiting.push(edge.from)
    }
  return { length, first, from }
}

/** Creates the computation of lengths, each done once. */
export function patternLengths(budget: Budget): PatternLengths {
  const known = new Map<Pattern, number>()
  const machines = new Map<Pattern, MachineEndings>()
  const endings = (machine: Machine): MachineEndings => {
    const found = machines.get(machine) ?? machineEndings(machine, (part) => known.get(part)!, budget)
    machines.set(machine, found)
    return found
  }
  const own = (pattern: Pattern): number => {
    if (pattern.kind === 'text') return new TextEncoder().encode(pattern.text).length
    if (pattern.kind === 'set')
      return pattern.spans.reduce((min, span) => Math.min(min, characterLength(span)), Infinity)
    if (pattern.kind === 'sequence') return pattern.parts.reduce((sum, part) => sum + known.get(part)!, 0)
    if (pattern.kind === 'choice') return pattern.parts.reduce((min, part) => Math.min(min, known.get(part)!), Infinity)
    if (pattern.kind === 'repeat') return pattern.min === 0 ? 0 : pattern.min * known.get(pattern.part)!
    return endings(pattern).length[0] ?? Infinity
  }
  return {
    endings,
    of(root) {
      const before = known.get(root)
      if (before !== undefined) return before
      // Patterns nest deeper than the call stack.
      const waiting = [root]
      for (let pattern = waiting.at(-1); pattern !== undefined; pattern = waiting.at(-1)) {
        const missing = known.has(pattern) ? [] : partsOf(pattern).filter((part) => !known.has(part))
        budget.spend(20 + 5 * missing.length)
        if (missing.length > 0) {
          for (const part of missing) waiting.push(part)
          continue
        }
        if (!known.has(pattern)) known.set(pattern, own(pattern))
        waiting.pop()
      }
      return known.get(root)!
    },
  }
}
