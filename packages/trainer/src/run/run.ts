import { resolve } from 'node:path'
import type { RunEvent } from '@attune/core'
import { Observable, type Subscription } from 'rxjs'
import { type RunRequest, beginRun, fail } from '../setup/begin.js'
import { finish } from './finish.js'
import type { RunOptions } from '../plan/lookup.js'
import { planRun } from '../plan/plan.js'
import { type ResumeOptions, requestToResume, requireRun } from './resume.js'
import type { RunConfig, TypedRunConfig } from '../plan/run-config.js'
import { claimFolder } from '../files/run-folder.js'
import { lockRun, unlockRun } from '../files/run-lock.js'
import { newRunId } from '../files/run-record.js'
import { closeSession } from '../setup/open.js'
import type { Session } from '../setup/session.js'
import { train } from './train.js'

interface Control {
  interrupted: string | undefined
  /** Set once the run has started, so that an interruption reaches it. */
  session: Session | undefined
}

/** Executes a run request to its end. */
type Execute = (request: RunRequest) => Promise<void>

async function execute(
  request: RunRequest,
  options: RunOptions,
  control: Control,
  observe: (event: RunEvent) => void,
): Promise<void> {
  const begun = performance.now()
  const session = await beginRun(request, options, observe)
  control.session = session
  session.runState.interrupted = control.interrupted
  try {
    await train(session)
    await finish(session, begun)
  } catch (error) {
    fail(session.bus, session.runState.progress.step, error)
    throw error
  } finally {
    session.bus.close()
    session.runFolder?.log.close()
    await closeSession(session)
  }
}

/** Wraps a run in a cold stream of its events. */
const observe = (work: (execute: Execute) => Promise<void>, options: RunOptions): Observable<RunEvent> =>
  new Observable((subscriber) => {
    const control: Control = { interrupted: undefined, session: undefined }
    const interrupt = (because: string): void => {
      control.interrupted ??= because
      if (control.session !== undefined) control.session.runState.interrupted ??= because
    }
    const outside: Subscription | undefined = options.commands?.subscribe((command) => {
      if (command.type === 'stop') interrupt(command.because)
      else control.session?.bus.commands.push(command)
    })
    work((request) => execute(request, options, control, (event) => subscriber.next(event)))
      .then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
      .finally(() => outside?.unsubscribe())
    return () => interrupt('unsubscribed')
  })

/**
 * Runs the training of a configuration, as a cold stream of its events: subscribing starts it. It completes after `run.completed`; a
 * failure is the event `run.failed`, then the stream's error. Unsubscribing, or a `stop` among `options.commands`, lets the current
 * step finish and saves a checkpoint, from which {@link resume} continues bit for bit. Only one process at a time can train in a
 * folder; other starts or resumes throw `RUN_IN_USE`.
 *
 * @example
 * ```ts
 * import { on } from '@attune/core'
 * import { run } from '@attune/trainer/node'
 * const events = run({
 *   data: { train: { use: 'jsonl', path: 'train.jsonl' } },
 *   tokenizer: { use: 'word', vocabularySize: 100 },
 *   model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
 *   objective: 'sequence-classification',
 *   engine: 'tfjs-cpu',
 *   training: { epochs: 2, batchSize: 8 },
 * })
 * events.pipe(on('run.completed')).subscribe(({ step, because }) => console.log(step, because)) // 4 finished
 * ```
 */
export const run = <const C extends RunConfig>(
  config: TypedRunConfig<C>,
  options: RunOptions = {},
): Observable<RunEvent> =>
  observe(async (executeRun) => {
    const plan = await planRun(config, options)
    const { directory } = plan
    if (directory === undefined) return executeRun({ plan, kept: undefined, previous: undefined })
    const lock = await lockRun(directory)
    try {
      claimFolder(directory)
      await executeRun({ plan, kept: { id: newRunId(), lock }, previous: undefined })
    } finally {
      await unlockRun(directory, lock)
    }
  }, options)

/**
 * Resumes the run in a folder from its latest checkpoint, or from the start if there is none. Changed settings or inputs throw
 * `RUN_CHANGED` unless `options.acceptChanges` is set. Other versions of plugins or core throw `VERSIONS_CHANGED` unless
 * `options.acceptVersions` is set; a different patch version is only a `run.warned` event.
 *
 * @example
 * ```ts
 * import { on } from '@attune/core'
 * import { resume } from '@attune/trainer/node'
 * const events = resume('runs/topics')
 * events.pipe(on('run.completed')).subscribe(({ model }) => console.log(model !== undefined)) // true
 * ```
 */
export const resume = (directory: string, options: ResumeOptions = {}): Observable<RunEvent> =>
  observe(async (executeRun) => {
    const folder = resolve(options.baseDirectory ?? '.', directory)
    requireRun(folder)
    const lock = await lockRun(folder)
    try {
      await executeRun(await requestToResume(folder, lock, options))
    } finally {
      await unlockRun(folder, lock)
    }
  }, options)
