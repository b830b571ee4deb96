import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AttuneError } from '@attune/core'
import { Observable, ReplaySubject } from 'rxjs'
import type { FromWorker, ToWorker } from './messages.js'
import { type TrialRequest, type TrialReport, runTrial } from './run-trial.js'

/** A run of a study that can be started and stopped. */
export interface Launched {
  /** A cold stream: subscribing starts the run. */
  readonly reports: Observable<TrialReport>
  /** Ends the run with a checkpoint after the step in flight. */
  stop(because: string): void
}

/** A run in this process. */
export function launchHere(order: TrialRequest): Launched {
  const stops = new ReplaySubject<string>()
  return { reports: runTrial(order, stops), stop: (because) => stops.next(because) }
}

/** The error that a process reported. */
const errorOf = ({ code, problem, remedy = '' }: Extract<FromWorker, { type: 'failed' }>): Error =>
  code === undefined ? new Error(problem) : Object.assign(new Error(problem), { code, problem, remedy })

/** The exit of a process before it was done. */
const crash = (code: number | null, signal: string | null): Error =>
  new Error(`its process ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`)

/** A run in a process of its own. Unsubscribing ends the process at once. */
export function launchProcess(order: TrialRequest): Launched {
  const stops = new ReplaySubject<string>()
  const reports = new Observable<TrialReport>((subscriber) => {
    const child: ChildProcess = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), {
      serialization: 'advanced',
    })
    const send = (message: ToWorker): void => void child.send(message, () => undefined) // its exit is heard of anyway
    child.on('message', (message: FromWorker) => {
      if (message.type === 'failed') subscriber.error(errorOf(message))
      else if (message.type !== 'done') subscriber.next(message)
    })
    // Not before its exit: until then it holds the lock of the run's folder.
    child.on('close', (code, signal) => (code === 0 ? subscriber.complete() : subscriber.error(crash(code, signal))))
    child.on('error', (error) => subscriber.error(error))
    send({ type: 'run', order })
    const stopping = stops.subscribe((because) => send({ type: 'stop', because }))
    return () => {
      stopping.unsubscribe()
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    }
  })
  return { reports, stop: (because) => stops.next(because) }
}

/** @throws AttuneError `BAD_ARGUMENT` if an order holds what cannot be sent to another process */
export function requireSendable(config: unknown, path = 'config'): void {
  if (typeof config === 'function')
    throw new AttuneError(
      'BAD_ARGUMENT',
      `trials in processes of their own take plugins by name, path or package, and ${path} is a function`,
      'Name the plugin by its package or path, or set `study.parallel: 1`.',
    )
  if (typeof config === 'object' && config !== null)
    for (const [key, value] of Object.entries(config)) requireSendable(value, `${path}.${key}`)
}
