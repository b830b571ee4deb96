import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AttuneError } from '@attune/core'
import { Observable, ReplaySubject } from 'rxjs'
import type { FromWorker, ToWorker } from './messages.js'
import { type TrialRequest, type TrialReport, runTrial } from './run-trial.js'

/** Handle of a trial's run, to start and stop it. */
export interface Launched {
  /** A cold stream: subscribing starts the run. */
  readonly reports: Observable<TrialReport>
  /** Stops the run after the current step, with a checkpoint. */
  stop(because: string): void
}

/** Runs a trial in this process. */
export function launchHere(request: TrialRequest): Launched {
  const stops = new ReplaySubject<string>()
  return { reports: runTrial(request, stops), stop: (because) => stops.next(because) }
}

/** Rebuilds the error reported by a child process. */
const errorOf = ({ code, problem, remedy = '' }: Extract<FromWorker, { type: 'failed' }>): Error =>
  code === undefined ? new Error(problem) : Object.assign(new Error(problem), { code, problem, remedy })

/** The error for a process that exited before it finished. */
const crash = (code: number | null, signal: string | null): Error =>
  new Error(`the process of the trial ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`)

/** Runs a trial in a child process. Unsubscribing kills the process immediately. */
export function launchProcess(request: TrialRequest): Launched {
  const stops = new ReplaySubject<string>()
  const reports = new Observable<TrialReport>((subscriber) => {
    const child: ChildProcess = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), {
      serialization: 'advanced',
    })
    const send = (message: ToWorker): void => void child.send(message, () => undefined) // a failed send is reported by the exit
    child.on('message', (message: FromWorker) => {
      if (message.type === 'failed') subscriber.error(errorOf(message))
      else if (message.type !== 'done') subscriber.next(message)
    })
    // Completes only on exit: until then the process holds the lock of the run folder.
    child.on('close', (code, signal) => (code === 0 ? subscriber.complete() : subscriber.error(crash(code, signal))))
    child.on('error', (error) => subscriber.error(error))
    send({ type: 'run', request })
    const stopping = stops.subscribe((because) => send({ type: 'stop', because }))
    return () => {
      stopping.unsubscribe()
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    }
  })
  return { reports, stop: (because) => stops.next(because) }
}

/** @throws AttuneError `BAD_ARGUMENT` if the configuration holds a function, which cannot be sent to another process */
export function requireSendable(config: unknown, path = 'config'): void {
  if (typeof config === 'function')
    throw new AttuneError(
      'BAD_ARGUMENT',
      `expected plugins by name, path or package for trials in child processes, got a function at ${path}`,
      'Refer to the plugin by its package or path, or set `study.parallel: 1`.',
    )
  if (typeof config === 'object' && config !== null)
    for (const [key, value] of Object.entries(config)) requireSendable(value, `${path}.${key}`)
}
