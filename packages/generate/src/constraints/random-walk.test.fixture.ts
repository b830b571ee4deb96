import type { Tokenizer } from '@attune/core'
import type { Constraint } from '../constraint.js'

/**
 * Generates like an untrained model: any allowed token at random, with a raised probability of the end token so that texts end.
 * Returns the tokens. Throws if the constraint allows no token.
 */
export function randomWalk(
  constraint: Constraint,
  ends: readonly number[],
  room: number,
  random: () => number,
): readonly number[] {
  const generated: number[] = []
  let state = 0
  while (generated.length < room) {
    const allowed = constraint.allowed(state, room - generated.length)
    const ids = Array.from(allowed.keys()).filter((id) => allowed[id] === 1)
    if (ids.length === 0) throw new Error(`no token is allowed after [${generated.join()}]`)
    const mayEnd = ids.some((id) => ends.includes(id))
    const id = mayEnd && random() < 0.2 ? ends[0]! : ids[Math.floor(random() * ids.length)]!
    if (ends.includes(id)) return generated
    generated.push(id)
    state = constraint.next(state, id)
  }
  return generated
}

/** Text that the tokens add after a preceding word. */
export function textAfter(tokenizer: Tokenizer, word: number, ids: readonly number[]): string {
  const before = tokenizer.decode([word])
  const whole = tokenizer.decode([word, ...ids])
  if (!whole.startsWith(before))
    throw new Error(`${JSON.stringify(whole)} does not start with ${JSON.stringify(before)}`)
  return whole.slice(before.length)
}

/** True if a constraint allows a sequence of tokens and an end token after them. */
export function admits(constraint: Constraint, ends: readonly number[], ids: readonly number[]): boolean {
  let state = 0
  for (const id of ids) {
    if (constraint.allowed(state, Infinity)[id] !== 1) return false
    state = constraint.next(state, id)
  }
  return constraint.allowed(state, Infinity)[ends[0]!] === 1
}
