// @ts-check
/**
 * Multiplies matrices on the tfjs-node package in the folder that is named, says which TensorFlow it runs and how fast it
 * is, and fails if a product is wrong.
 */
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import util from 'node:util'

const SIZE = 1024
const TIMES = 20
/** The fastest counts: what slows the others is something else on the machine. */
const ROUNDS = 5
/** Of an entry, whose size is about that of √1024: the processors' ways to round differ by less. */
const TOLERANCE = 1e-3

process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1' // TensorFlow announces the processor's instructions otherwise
const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Usage: node tools/tfjs-native/measure.mjs <folder of @tensorflow/tfjs-node>')
// Two functions that tfjs-node 4.22 calls, and that Node 23 has no more.
Object.assign(util, { isArray: Array.isArray, isNullOrUndefined: (/** @type {unknown} */ value) => value == null })
const tf = createRequire(import.meta.url)(resolve(folder))
const { binding } = tf.backend()

const [a, b] = [1, 2].map((seed) => Float32Array.from({ length: SIZE ** 2 }, (_, i) => Math.sin(i * seed)))
const [left, right] = [a, b].map((values) => tf.tensor(values, [SIZE, SIZE]))
const product = () => tf.matMul(left, right)

/** The host's copy of a tensor, which is freed. @param {any} tensor */
function taken(tensor) {
  const values = tensor.dataSync()
  tensor.dispose()
  return values
}

/** Seconds for one product. The last of several is read, for nothing else says that all are done. */
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
    throw new Error(`Entry ${row}, ${column} of the product is ${found}; ${expected} is right`)
}

const seconds = Math.min(...Array.from({ length: ROUNDS }, measured))
console.log(
  `TensorFlow ${binding.TF_Version}: ${SIZE} × ${SIZE} matrices multiply at ${((2 * SIZE ** 3) / seconds / 1e9).toFixed(0)} GFLOP/s`,
)
