import { setImmediate } from 'node:timers/promises'
import { AttuneError, type Encoded, type Views, excerpt, isAttuneError } from '@attune/core'
import type { PredictOptions, Prediction } from './predictor.js'

/** Number of batches encoded ahead, to form batches of rows of similar length. */
const WINDOW = 16

/** A model as used by the queue. */
export interface QueuedModel<E> {
  readonly batchSize: number
  encode(example: E): Encoded
  /** Key of the items that may share a batch, beside their `group`. Default: one for all. */
  groupOf?(item: Encoded): unknown
  /** Predictions of one batch, in the order of its items. */
  predict(items: readonly Encoded[]): Promise<readonly Views[]>
}

/** Queue of rows to predict. */
export interface PredictionQueue<E> {
  predict(examples: readonly E[], how?: PredictOptions): Promise<readonly (Prediction | AttuneError)[]>
  /** Rejects new calls, and resolves when all pending calls are answered. */
  close(): Promise<void>
}

interface Call {
  readonly answers: (Prediction | AttuneError)[]
  waiting: number
  /** True once the call is aborted. */
  dropped: boolean
  done(): void
}

interface Row<E> {
  readonly call: Call
  readonly index: number
  readonly example: E
}

/** An encoded row, with the key of the rows that may share its batch. */
type Ready = Omit<Row<unknown>, 'example'> & { readonly item: Encoded; readonly key: unknown }

/** Wraps a failure as the error of one row. */
export const toRowError = (cause: unknown): AttuneError =>
  isAttuneError(cause)
    ? cause
    : new AttuneError(
        'PREDICTION_FAILED',
        `a row could not be predicted: ${(cause as Error | undefined)?.message ?? String(cause)}`,
        'Check the row against the fields that the model reads (`describes.fields` of the predictor).',
        { cause },
      )

function answer({ call, index }: Pick<Ready, 'call' | 'index'>, result: Prediction | AttuneError): void {
  call.answers[index] = result
  if (--call.waiting === 0) call.done()
}

/** Takes the oldest row and the rows of its group with the nearest lengths: reduces padding without starving any row. */
function takeBatch(pool: Ready[], batchSize: number): readonly Ready[] {
  const [first] = pool
  const distance = ({ item }: Ready): number => Math.abs(item.length - first!.item.length)
  const alike = pool.filter(({ item, key }) => item.group === first!.item.group && key === first!.key)
  const chosen = new Set([...alike].sort((a, b) => distance(a) - distance(b)).slice(0, batchSize))
  pool.splice(0, pool.length, ...pool.filter((row) => !chosen.has(row)))
  return [...chosen]
}

/** Predicts one batch. If it fails, retries row by row so that only the bad rows fail. */
async function answerBatch(rows: readonly Ready[], predict: QueuedModel<unknown>['predict']): Promise<void> {
  try {
    const views = await predict(rows.map(({ item }) => item))
    for (const [i, row] of rows.entries()) answer(row, { ...views[i], truncated: row.item.truncated })
  } catch (error) {
    if (rows.length === 1) answer(rows[0]!, toRowError(error))
    else for (const row of rows) await answerBatch([row], predict)
  }
}

/** Encodes waiting rows into the pool. A row that cannot be encoded is answered with an error. */
async function fill<E>(
  pool: Ready[],
  waiting: Row<E>[],
  limit: number,
  { batchSize, encode, groupOf }: QueuedModel<E>,
): Promise<void> {
  while (pool.length < limit && waiting.length > 0) {
    for (const row of waiting.splice(0, Math.min(batchSize, limit - pool.length))) {
      if (row.call.dropped) continue
      try {
        const item = encode(row.example)
        pool.push({ call: row.call, index: row.index, item, key: groupOf?.(item) })
      } catch (error) {
        answer(row, toRowError(error))
      }
    }
    await setImmediate() // yields to requests and timers
  }
}

/** Returns the error for a call after `close`. */
export const closedError = (): AttuneError =>
  new AttuneError('PREDICTOR_CLOSED', 'the predictor is closed', 'Call predict before close, or open the model again.')

/** @throws AttuneError `BAD_ARGUMENT` unless the examples are a list */
export function requireList<E>(examples: readonly E[]): readonly E[] {
  if (Array.isArray(examples)) return examples as readonly E[]
  throw new AttuneError(
    'BAD_ARGUMENT',
    `predict: expected a list of examples, got ${excerpt(examples)}`,
    "Pass a list of rows: predict([{ text: 'some text' }]).",
  )
}

/** Registers a call. Its promise settles when its last row is answered or when it is aborted. */
function register(examples: readonly unknown[], signal: AbortSignal | undefined, enter: (call: Call) => void) {
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
 * Creates a queue in front of a model, so that rows of concurrent calls share batches. A batch holds the waiting rows, up to the batch
 * size; prediction starts as soon as the first batch is encoded.
 */
export function createPredictionQueue<E>(model: QueuedModel<E>): PredictionQueue<E> {
  const [waiting, pool] = [[] as Row<E>[], [] as Ready[]]
  let [draining, open] = [undefined as Promise<void> | undefined, true]
  const drain = async (): Promise<void> => {
    await setImmediate() // collects calls made at the same time
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
      if (!open) throw closedError()
      return register(requireList(examples), signal, (call) => {
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
