import type { Budget } from '@attune/core'
import { ANY, complement } from './character-set.js'
import { type MachineEdge, type Pattern, type Span, set } from './pattern.js'

/**
 * All texts but the listed ones: the states are the beginnings of the listed texts, and one for any text that is not such a
 * beginning.
 */
export function otherTexts(texts: readonly string[], budget: Budget): Pattern {
  /** By beginning: the beginnings that are one character longer. */
  const longer: Map<number, number>[] = [new Map()]
  const accepting = [true]
  for (const text of texts) {
    budget.spend(50 * text.length)
    budget.hold(100 * text.length)
    let state = 0
    for (const character of text) {
      const codePoint = character.codePointAt(0)!
      const next = longer[state]!.get(codePoint) ?? longer.push(new Map()) - 1
      longer[state]!.set(codePoint, next)
      accepting[next] ??= true
      state = next
    }
    accepting[state] = false
  }
  const other = longer.length
  const edges = longer.flatMap((own, from): MachineEdge[] => {
    const spans = Array.from(own.keys(), (character): Span => [character, character])
    const rest: MachineEdge = { from, part: set(complement(spans)), to: other }
    return [...Array.from(own, ([, to], i): MachineEdge => ({ from, part: set([spans[i]!]), to })), rest]
  })
  edges.push({ from: other, part: set(ANY), to: other })
  return { kind: 'machine', size: other + 1, edges, accepting: [...accepting, true] }
}
