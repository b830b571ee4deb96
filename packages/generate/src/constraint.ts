/** What a place in a constraint is: a number that only the constraint understands; 0 is where writing begins. */
export type ConstraintState = number

/**
 * A rule that what is written must keep, as an automaton over tokens. It is pure: the same state allows the same tokens,
 * so that beams may share it.
 */
export interface Constraint {
  /**
   * 1 for each token of the vocabulary that may come next, 0 for the others; the tokens that end a text are allowed exactly
   * where the rule is fulfilled. Never all 0. `remaining` is how many tokens may still be written, this one included.
   */
  allowed(state: ConstraintState, remaining: number): Uint8Array
  /** The state after an allowed token. */
  next(state: ConstraintState, token: number): ConstraintState
}
