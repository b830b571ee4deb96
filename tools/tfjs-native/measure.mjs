// @ts-check
/**
 * Multiplies matrices with the tfjs-node package in the given folder, prints the TensorFlow version and the throughput, and fails if a
 * product is wrong.
 */
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import util from 'node:util'

const SIZE = 1024
const TIMES = 20
/** The fastest of several runs counts; others are slowed by unrelated load. */
const ROUNDS = 5
/** Absolute tolerance of an entry, whose magnitude is about √1024; rounding differences between CPUs are smaller. */
const TOLERANCE = 1e-3

process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1' // otherwise TensorFlow logs the CPU's instruction sets
const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Usage: node tools/tfjs-native/measure.mjs <folder of @tensorflow/tfjs-node>')
// Two functions that tfjs-node 4.22 calls and that Node 23 removed.
Object.assign(util, { isArray: Array.isArray, isNullOrUndefined: (/** @type {unknown} */ value) => value == null })
const tf = createRequire(import.meta.url)(resolve(folder))
const { binding } = tf.backend()

const [a, b] = [1, 2].map((seed) => Float32Array.from({ length: SIZE ** 2 }, (_, i) => Math.sin(i * seed)))
const [left, right] = [a, b].map((values) => tf.tensor(values, [SIZE, SIZE]))
const product = () => tf.matMul(left, right)

/** Copies a tensor to the host and frees it. @param {any} tensor */
function taken(tensor) {
  const values = tensor.dataSync()
  tensor.dispose()
  return values
}

/** Seconds per product. The last one is read, because only that waits for all of them. */
function measured() {
  const begun = performance.now()
  for (let i = 1; i < TIMES; i++) product().dispose()
  taken(product())
  return (performance.now() - begun) / 1000 / TIMES
}

const values = taken(product())
for (const [row, column] of [
  [0, 0],
  [1, 700],
  [SIZE - 1, SIZE - 1],
]) {
  let expected = 0
  for (let i = 0; i < SIZE; i++) expected += a[row * SIZE + i] * b[i * SIZE + column]
  const found = values[row * SIZE + column]
  if (!(Math.abs(found - expected) < TOLERANCE))
    throw new Error(`expected ${expected} at entry ${row}, ${column} of the product, got ${found}`)
}

const seconds = Math.min(...Array.from({ length: ROUNDS }, measured))
console.log(
  `TensorFlow ${binding.TF_Version}: ${SIZE} × ${SIZE} matrices multiply at ${((2 * SIZE ** 3) / seconds / 1e9).toFixed(0)} GFLOP/s`,
)
