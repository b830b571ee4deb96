import { AttuneError } from '@attune/core'

/** TF.js' operations in a stack: the names of their functions end in an underscore. The first was called last. */
const OPERATIONS = /\bat (?:\w+\.)?(\w+)_(?:\$\d+)? /g

/** The error of a function that draws a number as it is recorded. */
function frozen(stack: string): AttuneError {
  const operation = [...stack.matchAll(OPERATIONS)].at(-1)?.[1]
  return new AttuneError(
    'FROZEN_RANDOMNESS',
    `${operation ?? 'the function'} draws from Math.random() while it is compiled, and would use the same numbers ever after`,
    'Draw them outside and pass them in. For dropout that differs from step to step, use dropout of @attune/nn with a key ' +
      'that is an argument; for numbers that are always the same, give the operation a seed.',
  )
}

/**
 * Runs a function that must not draw random numbers. What TF.js draws without a seed, it draws from `Math.random`, or seeds
 * its own generator from there, so this function alone has to be watched; the run is synchronous, so nothing else notices.
 * @throws AttuneError `FROZEN_RANDOMNESS`
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
