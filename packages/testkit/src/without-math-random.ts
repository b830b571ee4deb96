import { replaceMethod } from './replace-method.js'

/** Runs `work` while `Math.random` throws: a plugin samples from the stream that it is given. */
export function withoutMathRandom<T>(work: () => T): T {
  const restore = replaceMethod(Math, 'random', () => {
    throw new Error('Math.random was called; sample from `random`')
  })
  try {
    return work()
  } finally {
    restore()
  }
}
