import { type Runtime, charge } from '../runtime.js'

/** Returns the index of the next match at or after an index; -1 if there is none. */
export type Find = (haystack: string, from: number) => number

/** Maximum needle length for V8's search, which takes time proportional to the product of the lengths at worst. */
const SHORT = 16

/** For each prefix of the needle, the length of its longest proper prefix that is also its suffix (Knuth–Morris–Pratt). */
function failureTable(needle: string): Int32Array {
  const table = new Int32Array(needle.length)
  for (let at = 1, length = 0; at < needle.length; at++) {
    while (length > 0 && needle.charCodeAt(at) !== needle.charCodeAt(length)) length = table[length - 1]!
    if (needle.charCodeAt(at) === needle.charCodeAt(length)) length++
    table[at] = length
  }
  return table
}

/**
 * Creates a search for a needle. Long needles are found in time linear in the haystack.
 */
export function finder(rt: Runtime, needle: string): Find {
  charge(rt, needle)
  if (needle.length <= SHORT)
    return (haystack, from) => {
      const found = haystack.indexOf(needle, from)
      const read = (found < 0 ? haystack.length : found) - from
      rt.spend(2 + ((Math.max(0, read) * (4 + needle.length)) >> 4))
      return found
    }
  rt.spend(2 * needle.length)
  rt.hold(4 * needle.length)
  const table = failureTable(needle)
  return (haystack, from) => {
    for (let at = from, length = 0; at < haystack.length; at++) {
      while (length > 0 && haystack.charCodeAt(at) !== needle.charCodeAt(length)) length = table[length - 1]!
      if (haystack.charCodeAt(at) === needle.charCodeAt(length)) length++
      if (length === needle.length) {
        rt.spend(2 + 2 * (at - from))
        return at + 1 - length
      }
    }
    rt.spend(2 + 2 * Math.max(0, haystack.length - from))
    return -1
  }
}

/** True if a text contains another. */
export function includes(rt: Runtime, haystack: string, needle: string): boolean {
  charge(rt, haystack)
  return finder(rt, needle)(haystack, 0) >= 0
}
