import { key, stream } from '@attune/core'

/** A random stream derived from the tokens of a text, for evaluation: the same text always gets the same noise, so losses are comparable. */
export const ownRandom = (ids: readonly number[]): (() => number) =>
  stream(key(ids.reduce((hash, id) => Math.imul(hash ^ id, 0x01000193) >>> 0, 0x811c9dc5)))
