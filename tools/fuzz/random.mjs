// @ts-check
/** Random choices from a stream of uniform numbers. */

/** @typedef {() => number} Random uniform in [0, 1) */

/** A random item. @template T @param {readonly T[]} items @param {Random} random @returns {T} */
export const pick = (items, random) => /** @type {T} */ (items[Math.floor(random() * items.length)])

/** A random integer in [0, limit). @param {number} limit @param {Random} random */
export const below = (limit, random) => Math.floor(random() * limit)

/** A random integer in [minimum, maximum], uniform over orders of magnitude. @param {number} minimum at least 1 @param {number} maximum @param {Random} random */
export const magnitude = (minimum, maximum, random) =>
  Math.floor(minimum * Math.exp(random() * Math.log(Math.max(1, maximum / minimum))))
