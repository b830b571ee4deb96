// @ts-check
/** Counts of a process that runs a reader, written to a file before each input, so that they survive its death. */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'

/** Counts, in file order. */
const FIELDS = /** @type {const} */ ([
  'inputs',
  'accepted',
  'refused',
  'crashed',
  'strayed',
  'slow',
  'large',
  'slowestSeconds',
  'slowestBytes',
  'largestMemory',
  'largestBytes',
  'next',
  'grown',
])

/**
 * `next` is the number of the next input from the seed; `grown` is 1 while a grown input is read.
 * @typedef {Record<typeof FIELDS[number], number>} Counts
 */

/** Zero counts. @returns {Counts} */
export const noCounts = () => /** @type {Counts} */ (Object.fromEntries(FIELDS.map((field) => [field, 0])))

/** Opens a file for counts. @param {string} path */
export function openState(path) {
  const file = openSync(path, 'w')
  const values = new Float64Array(FIELDS.length)
  return {
    /** @param {Counts} counts */
    write(counts) {
      for (const [i, field] of FIELDS.entries()) values[i] = counts[field]
      writeSync(file, values, 0, values.byteLength, 0)
    },
    close: () => closeSync(file),
  }
}

/** Reads counts from a file; zeros if there is none. @param {string} path @returns {Counts} */
export function readState(path) {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  if (bytes.length < 8 * FIELDS.length) return noCounts()
  return /** @type {Counts} */ (Object.fromEntries(FIELDS.map((field, i) => [field, bytes.readDoubleLE(8 * i)])))
}

/** Adds the counts of one reader in two processes. @param {Counts} a @param {Counts} b @returns {Counts} */
export function addedCounts(a, b) {
  const sum = noCounts()
  for (const field of FIELDS) sum[field] = a[field] + b[field]
  const slowest = a.slowestSeconds >= b.slowestSeconds ? a : b
  const largest = a.largestMemory >= b.largestMemory ? a : b
  const { slowestSeconds, slowestBytes } = slowest
  const { largestMemory, largestBytes } = largest
  return { ...sum, slowestSeconds, slowestBytes, largestMemory, largestBytes, next: b.next, grown: b.grown }
}
