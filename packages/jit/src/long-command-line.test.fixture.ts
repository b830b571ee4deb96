// Doubles a vector with ONNX Runtime, in the thread that the first argument names, and prints the result or the error.
import '@tensorflow/tfjs'
import { SHARE_ENV, Worker, isMainThread, workerData } from 'node:worker_threads'
import { isAttuneError } from '@attune/core'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { jit } from './index.js'

async function double(): Promise<void> {
  await tf.setBackend('cpu')
  try {
    const y = jit((x: Tensor) => tf.add(x, x))(tf.tensor1d([1, 2])) as Tensor
    process.stdout.write(`${String(await y.data())}\n`)
  } catch (error) {
    process.stdout.write(`${isAttuneError(error) ? `${error.code}: ${error.message}` : error}\n`)
  }
}

const where = isMainThread ? process.argv[2] : workerData
if (where === 'main' || !isMainThread) await double()
else new Worker(new URL(import.meta.url), { workerData: where, ...(where === 'shared' ? { env: SHARE_ENV } : {}) })
