import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type AnyPlugin, isAttuneError } from '@attune/core'
import { openPredictor } from '../inference/open-predictor.js'
import type { Predictor } from '../inference/predictor.js'
import { placesOf } from '../plan/lookup.js'
import { type Reply, type Request, type WorkerInput, toPlain } from './messages.js'

/** Worker thread with a predictor: answers requests until it is closed. */

async function openWith({ directory, options, plugins }: WorkerInput): Promise<Predictor> {
  if (plugins === undefined) return openPredictor(directory, options)
  const registered = ((await import(plugins)) as { default: readonly AnyPlugin[] }).default
  return openPredictor(directory, { ...options, searchPaths: { ...placesOf(options), registered } })
}

function serve(port: MessagePort, predictor: Predictor): void {
  const reply = (message: Reply): void => port.postMessage(message)
  const calls = new Map<number, AbortController>()
  const predict = async ({ id, examples, adapter }: Extract<Request, { type: 'predict' }>): Promise<void> => {
    const call = new AbortController()
    calls.set(id, call)
    try {
      const chosen = adapter === undefined ? {} : { adapter }
      const answers = await predictor.predict(examples, { signal: call.signal, ...chosen })
      reply({
        type: 'answered',
        id,
        answers: answers.map((each) => (isAttuneError(each) ? { error: toPlain(each) } : { prediction: each })),
      })
    } catch (error) {
      reply({ type: 'failed', id, error: toPlain(error) })
    } finally {
      calls.delete(id)
    }
  }
  port.on('message', (request: Request) => {
    if (request.type === 'predict') void predict(request)
    else if (request.type === 'abort') calls.get(request.id)?.abort()
    else void predictor.close().finally(() => reply({ type: 'closed' }))
  })
  reply({ type: 'opened', describes: predictor.describes, warnings: predictor.warnings })
}

const port = parentPort!
try {
  serve(port, await openWith(workerData as WorkerInput))
} catch (error) {
  port.postMessage({ type: 'refused', error: toPlain(error) } satisfies Reply)
}
