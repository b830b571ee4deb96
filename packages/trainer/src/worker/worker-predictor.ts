import { SHARE_ENV, Worker } from 'node:worker_threads'
import { AttuneError, type Example } from '@attune/core'
import { closedError, toRowError } from '../inference/prediction-queue.js'
import type { PredictOptions, Predictor, PredictorOptions } from '../inference/predictor.js'
import { type PlainAnswer, type Reply, type Request, type WorkerInput, fromPlain } from './messages.js'

/** Options of {@link openWorkerPredictor}: the cloneable options of {@link openPredictor}. */
export interface WorkerPredictorOptions extends Omit<
  PredictorOptions,
  'scope' | 'commands' | 'locate' | 'searchPaths'
> {
  readonly searchPaths?: { readonly folders: readonly string[]; readonly local?: readonly string[] }
  /** URL of a module whose default export is a list of plugins to register in the worker. */
  readonly plugins?: string | URL
}

type Answers = Awaited<ReturnType<Predictor['predict']>>

interface Call {
  resolve(answers: Answers): void
  reject(error: unknown): void
}

const died = (why: string, cause?: unknown): AttuneError =>
  new AttuneError(
    'WORKER_DIED',
    `the worker thread of the predictor ended: ${why}`,
    'Open the predictor again. If it ran out of memory, load a smaller model, or raise the memory limit of Node.js with --max-old-space-size.',
    cause === undefined ? undefined : { cause },
  )

const answersOf = (answers: readonly PlainAnswer[]): Answers =>
  answers.map((each) => ('error' in each ? fromPlain(each.error) : each.prediction))

/** Tracks the pending calls of a worker. */
function createCalls(worker: Worker) {
  const calls = new Map<number, Call>()
  let [next, held] = [0, false]
  const settle = (id: number, act: (call: Call) => void): void => {
    const call = calls.get(id)
    calls.delete(id)
    if (calls.size === 0 && !held) worker.unref() // an idle predictor does not keep the process alive
    if (call !== undefined) act(call)
  }
  return {
    settle,
    rejectAll: (error: unknown) => [...calls.keys()].forEach((id) => settle(id, ({ reject }) => reject(error))),
    /** Keeps the process alive until the worker exits. */
    hold(): void {
      held = true
      worker.ref()
    },
    add(call: Call): number {
      worker.ref()
      calls.set(next, call)
      return next++
    },
  }
}

/** Resolves to the worker's report once it has opened the model. */
const opened = (worker: Worker): Promise<Extract<Reply, { type: 'opened' }>> =>
  new Promise((resolve, reject) => {
    worker.once('message', (reply: Reply) => {
      if (reply.type === 'opened') resolve(reply)
      else reject(reply.type === 'refused' ? fromPlain(reply.error) : new Error(reply.type))
    })
    worker.once('error', (error) => reject(died((error as Error).message, error)))
    worker.once('exit', (code) => reject(died(`exit code ${code}`)))
  })

/** Returns a function that sends the rows of a call to a worker. */
const createSender =
  (calls: ReturnType<typeof createCalls>, post: (request: Request) => void) =>
  (examples: readonly Example[], how: PredictOptions): Promise<Answers> =>
    new Promise<Answers>((resolve, reject) => {
      const { signal, adapter } = how
      signal?.throwIfAborted()
      const abort = (): void => {
        post({ type: 'abort', id })
        calls.settle(id, (call) => call.reject(signal?.reason))
      }
      const finish = (act: () => void): void => {
        signal?.removeEventListener('abort', abort)
        act()
      }
      const id = calls.add({
        resolve: (answers) => finish(() => resolve(answers)),
        reject: (error) => finish(() => reject(error as Error)),
      })
      signal?.addEventListener('abort', abort, { once: true })
      try {
        post({ type: 'predict', id, examples, adapter })
      } catch (error) {
        // A row is not cloneable: only that row fails.
        const ask = createSender(calls, post)
        calls.settle(id, () => undefined)
        finish(() => undefined)
        if (examples.length === 1) resolve([toRowError(error)])
        else resolve(Promise.all(examples.map((each) => ask([each], how))).then((answers) => answers.flat()))
      }
    })

/** Creates a predictor that forwards its calls to a worker. */
function proxyOf(worker: Worker, { describes, warnings }: Extract<Reply, { type: 'opened' }>): Predictor {
  const calls = createCalls(worker)
  const post = (request: Request): void => worker.postMessage(request)
  const ask = createSender(calls, post)
  let end: AttuneError | undefined
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const fail = (error: AttuneError): void => calls.rejectAll((end ??= error))
  worker.on('error', (error) => fail(died((error as Error).message, error)))
  worker.on('exit', (code) => fail(died(`exit code ${code}`)))
  worker.on('message', (reply: Reply) => {
    if (reply.type === 'answered') calls.settle(reply.id, ({ resolve }) => resolve(answersOf(reply.answers)))
    if (reply.type === 'closed') void worker.terminate()
    if (reply.type === 'failed') calls.settle(reply.id, ({ reject }) => reject(fromPlain(reply.error)))
  })
  worker.unref()
  return {
    describes,
    warnings,
    async predict(examples, how = {}) {
      if (end !== undefined) throw end
      return ask(examples, how)
    },
    async close() {
      if (end === undefined) {
        end = closedError()
        calls.hold()
        post({ type: 'close' })
      }
      await ended
    },
  }
}

/**
 * Opens a predictor in a worker thread, so that prediction does not block the event loop of the main thread. Otherwise it behaves like
 * {@link openPredictor}; concurrent calls share batches.
 *
 * When to use it: in a server, or any program that must stay responsive. Each worker holds its own copy of the model in memory.
 *
 * Gotchas: examples and predictions are copied between threads, so rows must be plain data. Plugins that exist only as objects in the
 * calling program must be passed as a module, `plugins`.
 * @throws AttuneError the errors of {@link openPredictor}; `WORKER_DIED` if the thread ends, also for every pending call
 *
 * @example
 * ```ts
 * import { openWorkerPredictor } from '@attune/trainer/node'
 * const predictor = await openWorkerPredictor('runs/topics')
 * const texts = ['a mail client', 'an editor', 'mail for all']
 * const answers = await Promise.all(texts.map((text) => predictor.predict([{ text }])))
 * console.log(answers.length, predictor.describes.labels) // 3 [ 'editor', 'mail' ]
 * await predictor.close()
 * ```
 */
export async function openWorkerPredictor(
  directory: string,
  { plugins, ...options }: WorkerPredictorOptions = {},
): Promise<Predictor> {
  const input: WorkerInput = {
    directory,
    options: { ...options },
    plugins: plugins === undefined ? undefined : String(plugins),
  }
  const url = new URL('./predictor-worker.js', import.meta.url)
  // An engine may set variables that native code reads, which a copy of the environment would not reach.
  const worker = new Worker(url, { workerData: input, env: SHARE_ENV })
  try {
    return proxyOf(worker, await opened(worker))
  } catch (error) {
    await worker.terminate()
    throw error
  }
}
