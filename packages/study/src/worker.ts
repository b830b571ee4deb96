/** Process of a trial: runs the request it receives and exits with its parent process. */
import { isAttuneError } from '@attune/core'
import { ReplaySubject } from 'rxjs'
import type { FromWorker, ToWorker } from './messages.js'
import { runTrial } from './run-trial.js'

const send = (message: FromWorker): Promise<void> =>
  new Promise((done) => (process.send === undefined ? done() : process.send(message, () => done())))

const failed = (error: unknown): FromWorker =>
  isAttuneError(error)
    ? { type: 'failed', code: error.code, problem: error.problem, remedy: error.remedy }
    : { type: 'failed', problem: error instanceof Error ? error.message : String(error) }

const end = (message: FromWorker): void => void send(message).finally(() => process.exit(0))

/** Runs the request that this process receives, then exits. */
function serve(): void {
  const stops = new ReplaySubject<string>()
  // Ctrl-C reaches every process of the terminal; the parent process decides what happens.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
  process.on('disconnect', () => process.exit(1))
  process.on('message', (message: ToWorker) => {
    if (message.type === 'stop') return stops.next(message.because)
    runTrial(message.request, stops).subscribe({
      next: (report) => void send(report),
      error: (error: unknown) => end(failed(error)),
      complete: () => end({ type: 'done' }),
    })
  })
}

serve()
