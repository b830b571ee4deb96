import { setImmediate } from 'node:timers/promises'
import { AttuneError, type Encoded, type Example, type Views, isAttuneError } from '@attune/core'
import type { PredictOptions, Prediction } from './predictor.js'

/** Batches whose rows are encoded ahead, so that a batch can be made of rows of similar length. */
const WINDOW = 16

/** A model as the queue uses it. */
export interface Answering {
  readonly batchSize: number
  encode(example: Example): Encoded
  /** Predictions of one batch, in its order. */
  predict(items: readonly Encoded[]): Promise<readonly Views[]>
}

/** Predictions of rows that wait in one queue. */
export interface PredictionQueue {
  predict(examples: readonly Example[], how?: PredictOptions): Promise<readonly (Prediction | AttuneError)[]>
  /** Resolves when all that was asked for is answered; nothing more is taken. */
  close(): Promise<void>
}

interface Call {
  readonly answers: (Prediction | AttuneError)[]
  waiting: number
  /** True once the call is aborted. */
  dropped: boolean
  done(): void
}

interface Row {
  readonly call: Call
  readonly index: number
  readonly example: Example
}

type Ready = Row & { readonly item: Encoded }

/** The error of one row. */
export const failureOf = (cause: unknown): AttuneError =>
  isAttuneError(cause)
    ? cause
    : new AttuneError(
        'PREDICTION_FAILED',
        `a row could not be predicted: ${(cause as Error | undefined)?.message ?? String(cause)}`,
        "Compare the row with the fields that the model reads (the predictor's `describes.fields`).",
        { cause },
      )

function answer({ call, index }: Row, result: Prediction | AttuneError): void {
  call.answers[index] = result
  if (--call.waiting === 0) call.done()
}

/** The oldest row, and those of its group whose lengths are nearest to its own: little is padded, and no row waits forever. */
function takeBatch(pool: Ready[], batchSize: number): readonly Ready[] {
  const [first] = pool
  const distance = ({ item }: Ready): number => Math.abs(item.length - first!.item.length)
  const alike = pool.filter(({ item }) => item.group === first!.item.group)
  const chosen = new Set([...alike].sort((a, b) => distance(a) - distance(b)).slice(0, batchSize))
  pool.splice(0, pool.length, ...pool.filter((row) => !chosen.has(row)))
  return [...chosen]
}

/** Answers one batch. If it fails, its rows are predicted one by one, so that only those fail that must. */
async function answerBatch(rows: readonly Ready[], predict: Answering['predict']): Promise<void> {
  try {
    const views = await predict(rows.map(({ item }) => item))
    for (const [i, row] of rows.entries()) answer(row, { ...views[i], truncated: row.item.truncated })
  } catch (error) {
    if (rows.length === 1) answer(rows[0]!, failureOf(error))
    else for (const row of rows) await answerBatch([row], predict)
  }
}

/** Encodes waiting rows into the pool; one that cannot be encoded is answered with its error. */
async function fill(pool: Ready[], waiting: Row[], limit: number, { batchSize, encode }: Answering): Promise<void> {
  while (pool.length < limit && waiting.length > 0) {
    for (const row of waiting.splice(0, Math.min(batchSize, limit - pool.length))) {
      if (row.call.dropped) continue
      try {
        pool.push({ ...row, item: encode(row.example) })
      } catch (error) {
        answer(row, failureOf(error))
      }
    }
    await setImmediate() // requests and timers come through
  }
}

/** The error of a call after `close`. */
export const closed = (): AttuneError =>
  new AttuneError('PREDICTOR_CLOSED', 'the predictor is closed', 'Call predict before close, or open the model again.')

/** Registers a call, whose promise is settled when its last row is answered or it is aborted. */
function register(examples: readonly Example[], signal: AbortSignal | undefined, enter: (call: Call) => void) {
  return new Promise<readonly (Prediction | AttuneError)[]>((resolve, reject) => {
    signal?.throwIfAborted()
    const abort = (): void => {
      call.dropped = true
      reject(signal?.reason as Error)
    }
    const done = (): void => {
      signal?.removeEventListener('abort', abort)
      resolve(call.answers)
    }
    const call: Call = { answers: [], waiting: examples.length, dropped: false, done }
    signal?.addEventListener('abort', abort, { once: true })
    if (examples.length === 0) done()
    else enter(call)
  })
}

/**
 * Makes a queue in front of a model: rows of concurrent calls share batches. A batch holds what waits, up to the batch size; the
 * first begins as soon as one batch is encoded.
 */
export function createPredictionQueue(model: Answering): PredictionQueue {
  const [waiting, pool] = [[] as Row[], [] as Ready[]]
  let [draining, open] = [undefined as Promise<void> | undefined, true]
  const drain = async (): Promise<void> => {
    await setImmediate() // calls made at the same time come together
    for (
      let limit = model.batchSize;
      waiting.length + pool.length > 0;
      limit = Math.min(2 * limit, WINDOW * model.batchSize)
    ) {
      await fill(pool, waiting, limit, model)
      pool.splice(0, pool.length, ...pool.filter(({ call }) => !call.dropped))
      if (pool.length > 0) await answerBatch(takeBatch(pool, model.batchSize), (items) => model.predict(items))
    }
    draining = undefined
  }
  return {
    predict: async (examples, { signal } = {}) => {
      if (!open) throw closed()
      return register(examples, signal, (call) => {
        examples.forEach((example, index) => waiting.push({ call, index, example }))
        draining ??= drain()
      })
    },
    async close() {
      open = false
      await draining
    },
  }
}
