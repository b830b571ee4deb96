import { type Example, isAttuneError } from '@attune/core'
import type { Split } from '../setup/splits.js'
import { withPlace } from './with-place.js'

/** Passes the examples of a split to `work`, and adds the place of an example to the error that it caused. */
export async function placingErrors<T>(
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
    if (current === undefined || !isAttuneError(error)) throw error
    const [place] = await split.locate([current])
    throw place === undefined ? error : withPlace(error, place)
  }
}
