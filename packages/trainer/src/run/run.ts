import { resolve } from 'node:path'
import type { RunEvent } from '@attune/core'
import { Observable, type Subscription } from 'rxjs'
import { type Order, begin, fail } from '../setup/begin.js'
import { finish } from './finish.js'
import type { RunOptions } from '../plan/lookup.js'
import { planRun } from '../plan/plan.js'
import { type ResumeOptions, orderToResume, requireRun } from './resume.js'
import type { RunConfig } from '../plan/run-config.js'
import { takeFolder } from '../files/run-folder.js'
import { lockRun, unlockRun } from '../files/run-lock.js'
import { newRunId } from '../files/run-record.js'
import { closeSession } from '../setup/open.js'
import type { Session } from '../setup/session.js'
import { train } from './train.js'

interface Control {
  interrupted: string | undefined
  /** Set once the run is under way, so that an interruption reaches it. */
  session: Session | undefined
}

/** Runs an order to its end. */
type Execute = (order: Order) => Promise<void>

async function execute(
  order: Order,
  options: RunOptions,
  control: Control,
  observe: (event: RunEvent) => void,
): Promise<void> {
  const begun = performance.now()
  const session = await begin(order, options, observe)
  control.session = session
  session.moving.interrupted = control.interrupted
  try {
    await train(session)
    await finish(session, begun)
  } catch (error) {
    fail(session.bus, session.moving.progress.step, error)
    throw error
  } finally {
    session.bus.close()
    session.keeping?.log.close()
    await closeSession(session)
  }
}

/** A cold stream of the events of a run. */
const observe = (work: (execute: Execute) => Promise<void>, options: RunOptions): Observable<RunEvent> =>
  new Observable((subscriber) => {
    const control: Control = { interrupted: undefined, session: undefined }
    const interrupt = (because: string): void => {
      control.interrupted ??= because
      if (control.session !== undefined) control.session.moving.interrupted ??= because
    }
    const outside: Subscription | undefined = options.commands?.subscribe((command) => {
      if (command.type === 'stop') interrupt(command.because)
      else control.session?.bus.commands.push(command)
    })
    work((order) => execute(order, options, control, (event) => subscriber.next(event)))
      .then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
      .finally(() => outside?.unsubscribe())
    return () => interrupt('unsubscribed')
  })

/**
 * A run, as a cold stream of its events: subscribing starts it. It completes after `run.completed`; a failure is the
 * event `run.failed`, then the stream's error. Unsubscribing, or a `stop` among `options.commands`, lets the step in
 * flight finish and leaves a checkpoint from which {@link resume} goes on with the same bits. One process at a time trains in a
 * folder: another start or resume there is refused with `RUN_IN_USE`.
 */
export const run = (config: RunConfig, options: RunOptions = {}): Observable<RunEvent> =>
  observe(async (carryOut) => {
    const plan = await planRun(config, options)
    const { directory } = plan
    if (directory === undefined) return carryOut({ plan, kept: undefined, earlier: undefined })
    const lock = await lockRun(directory)
    try {
      takeFolder(directory)
      await carryOut({ plan, kept: { id: newRunId(), lock }, earlier: undefined })
    } finally {
      await unlockRun(directory, lock)
    }
  }, options)

/**
 * Goes on with the run in a folder, from its latest checkpoint, or from the start if there is none yet. Settings and inputs that
 * differ from those that the run was started with are refused with `RUN_CHANGED` unless `options.acceptChanges`; other versions of
 * plugins and of core with `VERSIONS_CHANGED` unless `options.acceptVersions`, but for another patch, which is a `run.warned`.
 */
export const resume = (directory: string, options: ResumeOptions = {}): Observable<RunEvent> =>
  observe(async (carryOut) => {
    const folder = resolve(options.baseDirectory ?? '.', directory)
    requireRun(folder)
    const lock = await lockRun(folder)
    try {
      await carryOut(await orderToResume(folder, lock, options))
    } finally {
      await unlockRun(folder, lock)
    }
  }, options)
