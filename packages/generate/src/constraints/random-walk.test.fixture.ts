import type { Tokenizer } from '@attune/core'
import type { Constraint } from '../constraint.js'

/**
 * Writes as a model that knows nothing would: any allowed token, the end more often than its share so that texts end. Gives
 * the tokens, or throws where the constraint breaks its word: nothing allowed.
 */
export function randomWalk(
  constraint: Constraint,
  ends: readonly number[],
  room: number,
  random: () => number,
): readonly number[] {
  const written: number[] = []
  let state = 0
  while (written.length < room) {
    const allowed = constraint.allowed(state, room - written.length)
    const ids = Array.from(allowed.keys()).filter((id) => allowed[id] === 1)
    if (ids.length === 0) throw new Error(`nothing is allowed after [${written.join()}]`)
    const mayEnd = ids.some((id) => ends.includes(id))
    const id = mayEnd && random() < 0.2 ? ends[0]! : ids[Math.floor(random() * ids.length)]!
    if (ends.includes(id)) return written
    written.push(id)
    state = constraint.next(state, id)
  }
  return written
}

/** What tokens add after a word that stands before them. */
export function textAfter(tokenizer: Tokenizer, word: number, ids: readonly number[]): string {
  const before = tokenizer.decode([word])
  const whole = tokenizer.decode([word, ...ids])
  if (!whole.startsWith(before))
    throw new Error(`${JSON.stringify(whole)} does not begin with ${JSON.stringify(before)}`)
  return whole.slice(before.length)
}

/** Whether a constraint lets tokens be written one after another, and a text end after them. */
export function admits(constraint: Constraint, ends: readonly number[], ids: readonly number[]): boolean {
  let state = 0
  for (const id of ids) {
    if (constraint.allowed(state, Infinity)[id] !== 1) return false
    state = constraint.next(state, id)
  }
  return constraint.allowed(state, Infinity)[ends[0]!] === 1
}
