import { type Example, isAttuneError, isRecord } from '@attune/core'
import type { Split } from '../setup/splits.js'
import { withLocation } from './with-location.js'

/**
 * Passes the examples of a split to `work`, and adds the location of an example to the error that it caused. An error about all examples
 * may have one of them as its `cause`.
 */
export async function locatingErrors<T>(
  split: Pick<Split, 'examples' | 'locate'>,
  work: (examples: () => AsyncIterable<Example>) => Promise<T>,
): Promise<T> {
  let current: Example | undefined
  async function* examples(): AsyncGenerator<Example, void> {
    try {
      for await (const example of split.examples()) yield (current = example)
    } catch (error) {
      current = undefined // the error of the split itself
      throw error
    }
    current = undefined
  }
  try {
    return await work(examples)
  } catch (error) {
    if (!isAttuneError(error)) throw error
    const example = current ?? error.cause
    if (!isRecord(example) || example instanceof Error) throw error
    const [location] = await split.locate([example])
    throw location === undefined ? error : withLocation(error, location)
  }
}
