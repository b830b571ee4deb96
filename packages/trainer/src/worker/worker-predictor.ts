import { Worker } from 'node:worker_threads'
import { AttuneError, type Example } from '@attune/core'
import { closed, failureOf } from '../inference/prediction-queue.js'
import type { Predictor } from '../inference/predictor.js'
import type { OpenOptions } from '../files/run-folder.js'
import { type PlainAnswer, type Reply, type Request, type WorkerInput, fromPlain } from './messages.js'

/** Options of {@link openWorkerPredictor}: those of {@link openPredictor} that another thread can be given. */
export interface WorkerPredictorOptions extends Omit<OpenOptions, 'scope' | 'commands' | 'locate' | 'places'> {
  readonly places?: { readonly folders: readonly string[]; readonly local?: readonly string[] }
  /** The URL of a module whose default export is a list of plugins to register in the worker. */
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
    'Open the predictor again. If it ran out of memory, load a smaller model, or give Node more: --max-old-space-size.',
    cause === undefined ? undefined : { cause },
  )

const answersOf = (answers: readonly PlainAnswer[]): Answers =>
  answers.map((each) => ('error' in each ? fromPlain(each.error) : each.prediction))

/** The calls of a worker that are not answered yet. */
function createCalls(worker: Worker) {
  const calls = new Map<number, Call>()
  let [next, held] = [0, false]
  const settle = (id: number, act: (call: Call) => void): void => {
    const call = calls.get(id)
    calls.delete(id)
    if (calls.size === 0 && !held) worker.unref() // a predictor that has nothing to do does not keep the process alive
    if (call !== undefined) act(call)
  }
  return {
    settle,
    rejectAll: (error: unknown) => [...calls.keys()].forEach((id) => settle(id, ({ reject }) => reject(error))),
    /** Keeps the process alive until the worker has ended. */
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

/** Resolves with what the worker reports when it has opened the model. */
const opened = (worker: Worker): Promise<Extract<Reply, { type: 'opened' }>> =>
  new Promise((resolve, reject) => {
    worker.once('message', (reply: Reply) => {
      if (reply.type === 'opened') resolve(reply)
      else reject(reply.type === 'refused' ? fromPlain(reply.error) : new Error(reply.type))
    })
    worker.once('error', (error) => reject(died((error as Error).message, error)))
    worker.once('exit', (code) => reject(died(`exit code ${code}`)))
  })

/** Sends the rows of calls to a worker. */
const asking =
  (calls: ReturnType<typeof createCalls>, post: (request: Request) => void) =>
  (examples: readonly Example[], signal: AbortSignal | undefined): Promise<Answers> =>
    new Promise<Answers>((resolve, reject) => {
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
        post({ type: 'predict', id, examples })
      } catch (error) {
        // A row is not plain data: it fails alone.
        const ask = asking(calls, post)
        calls.settle(id, () => undefined)
        finish(() => undefined)
        if (examples.length === 1) resolve([failureOf(error)])
        else resolve(Promise.all(examples.map((each) => ask([each], signal))).then((answers) => answers.flat()))
      }
    })

/** A predictor whose calls a worker answers. */
function proxyOf(worker: Worker, { describes, warnings }: Extract<Reply, { type: 'opened' }>): Predictor {
  const calls = createCalls(worker)
  const post = (request: Request): void => worker.postMessage(request)
  const ask = asking(calls, post)
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
    async predict(examples, { signal } = {}) {
      if (end !== undefined) throw end
      return ask(examples, signal)
    },
    async close() {
      if (end === undefined) {
        end = closed()
        calls.hold()
        post({ type: 'close' })
      }
      await ended
    },
  }
}

/**
 * Opens a predictor in a worker thread: the event loop of the main thread goes on while a batch is computed. Everything else is as
 * with {@link openPredictor}; concurrent calls share batches.
 *
 * When to use it: in a server, or any program that must stay responsive. Each worker holds the model in memory once.
 *
 * Gotchas: examples and predictions are copied between threads, so that rows must be plain data. Plugins that exist only as values in
 * the calling program are given as a module, `plugins`.
 * @throws AttuneError those of {@link openPredictor}; `WORKER_DIED` if the thread ends, also for every call that waits
 * @example
 * const predictor = await openWorkerPredictor('runs/debian-sections')
 * const answers = await Promise.all(requests.map((text) => predictor.predict([{ text }])))
 * await predictor.close()
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
  const worker = new Worker(new URL('./predictor-worker.js', import.meta.url), { workerData: input })
  try {
    return proxyOf(worker, await opened(worker))
  } catch (error) {
    await worker.terminate()
    throw error
  }
}
