import { AttuneError } from '@attune/core'

/**
 * TF.js operations in a stack trace: the names of their functions end with an underscore. The first one was called
 * last.
 */
const OPERATIONS = /\bat (?:\w+\.)?(\w+)_(?:\$\d+)? /g

/** Returns the error of a function that samples a random number while it is traced. */
function frozen(stack: string): AttuneError {
  const operation = [...stack.matchAll(OPERATIONS)].at(-1)?.[1]
  return new AttuneError(
    'FROZEN_RANDOMNESS',
    `${operation ?? 'the function'} samples from Math.random() while it is compiled, which would fix its values for all calls`,
    'Sample outside of the function and pass the values as an argument. For dropout, use dropout of @attune/nn with a key ' +
      'that is an argument; for constant random values, pass a seed to the operation.',
  )
}

/**
 * Runs a function that must not sample random numbers. TF.js samples without a seed from `Math.random`, or seeds its
 * own generator from it, so only this function is intercepted. The run is synchronous, so no other code is affected.
 * @throws AttuneError `FROZEN_RANDOMNESS` if the function calls `Math.random`
 */
export function withoutRandomness<T>(run: () => T): T {
  const { random } = Math
  Math.random = () => {
    throw frozen(new Error().stack ?? '')
  }
  try {
    return run()
  } finally {
    Math.random = random
  }
}
