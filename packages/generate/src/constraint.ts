/** State of a constraint: an opaque number; 0 is the initial state. */
export type ConstraintState = number

/**
 * Constrains generation, as an automaton over tokens. Pure: the same state always allows the same tokens, so beams may share
 * a constraint.
 */
export interface Constraint {
  /**
   * Mask of the tokens allowed next, by id: 1 if allowed, else 0. End-of-sequence tokens are allowed exactly if the constraint is
   * satisfied. Never all 0. `remaining` is the number of tokens that may still be generated, including this one.
   */
  allowed(state: ConstraintState, remaining: number): Uint8Array
  /** The state after an allowed token. */
  next(state: ConstraintState, token: number): ConstraintState
}
