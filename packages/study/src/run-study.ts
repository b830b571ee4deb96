import { AttuneError, type Suggestion, type Trial, deriveKey, isAttuneError, key, stream } from '@attune/core'
import type { RunOptions } from '@attune/trainer/node'
import type { Observable } from 'rxjs'
import { branchFrom, readyToResume, removeModels, trialFolder } from './disk.js'
import type { Emit } from './event-emitter.js'
import type { StudyEvent } from './events.js'
import { type Launched, launchHere, launchProcess } from './launch.js'
import type { PreparedStudy } from './prepare.js'
import type { TrialReport } from './run-trial.js'
import { bestTrials } from './trials.js'
import { withChoice } from './with-choice.js'

/** State of a running study. */
export interface StudyInProgress extends PreparedStudy {
  readonly options: Omit<RunOptions, 'commands'>
  trialsSoFar: readonly Trial[]
  /** The tuner's state. */
  memory: unknown
  readonly emit: Emit<StudyEvent>
}

/** Settings of one run of a trial. */
interface Attempt {
  readonly id: number
  readonly resumes: boolean
  readonly acceptChanges: boolean
}

const trialOf = ({ trialsSoFar }: StudyInProgress, id: number): Trial =>
  trialsSoFar.find((trial) => trial.id === id) as Trial

/** The pruner's reason to stop a trial now; undefined to continue it. */
function pruneReason({ pruner, trialsSoFar, goals }: StudyInProgress, trial: Trial): string | undefined {
  return pruner?.(
    trial,
    trialsSoFar.filter(({ id }) => id !== trial.id),
    goals,
  )
}

function launch(study: StudyInProgress, { id, ...attempt }: Attempt): Launched {
  const { budget = 1, choice } = trialOf(study, id)
  const { options, directory, parallel, config } = study
  const request = {
    ...attempt,
    budget,
    config: withChoice(config, choice),
    directory: trialFolder(directory, id),
    baseDirectory: options.baseDirectory ?? process.cwd(),
    searchPaths: options.searchPaths,
  }
  return parallel > 1 ? launchProcess(request) : launchHere(request)
}

/** The failure reason of a trial. */
const reasonOf = (error: unknown): string =>
  isAttuneError(error) ? `${error.code}: ${error.problem}` : error instanceof Error ? error.message : String(error)

/** True for errors that fail the whole study rather than one trial. */
const isStudyError = (error: unknown): boolean =>
  isAttuneError(error) && ['CANNOT_WRITE', 'RUN_IN_USE'].includes(error.code)

/** Follows a trial until its run ends. */
function followTrial(study: StudyInProgress, launched: Launched, id: number): Promise<void> {
  const begun = performance.now()
  const before = trialOf(study, id).seconds
  const seconds = (): number => before + (performance.now() - begun) / 1000
  let pruned: string | undefined
  let ended: Extract<TrialReport, { type: 'ended' }> | undefined
  const complete = (state: Exclude<Trial['state'], 'running'>, because?: string): void =>
    study.emit({
      type: 'trial.completed',
      trial: id,
      state,
      scores: trialOf(study, id).scores,
      seconds: seconds(),
      ...(because === undefined || because === 'finished' ? {} : { because }),
    })
  return new Promise((resolve, reject) => {
    launched.reports.subscribe({
      next(report) {
        if (report.type === 'ended') ended = report
        if (report.type === 'progressed') study.emit({ ...report, type: 'trial.progressed', trial: id }, false)
        if (report.type !== 'scored' || pruned !== undefined) return // a process may run some more steps after the stop
        const { step, values } = report
        study.emit({ type: 'trial.scored', trial: id, step, values, seconds: seconds() })
        pruned = pruneReason(study, trialOf(study, id))
        if (pruned !== undefined) launched.stop(pruned)
      },
      error(error: unknown) {
        if (isStudyError(error)) return reject(error as Error)
        complete('failed', reasonOf(error))
        resolve()
      },
      complete() {
        if (ended?.state === 'completed') complete('completed', ended.because)
        else if (pruned !== undefined) complete('pruned', pruned)
        else if (ended?.state === 'paused') complete('paused')
        resolve() // a stopped trial keeps the state `running`, to be resumed
      },
    })
  })
}

/** Asks the tuner for its next suggestion and prepares that run. */
async function nextSuggestion(study: StudyInProgress, running: number): Promise<Attempt | 'wait' | 'done'> {
  const { tuner, space, trialsSoFar, seed, goals, memory, trials, directory } = study
  const id = trialsSoFar.length
  const suggestion: Suggestion = tuner.suggest(
    space,
    trialsSoFar,
    stream(deriveKey(key(seed), 'trial', id)),
    goals,
    memory,
  )
  if (typeof suggestion === 'string') return suggestion
  const { choice, budget, resume, from } = suggestion
  const rest = {
    ...(budget === undefined ? {} : { budget }),
    ...(suggestion.memory === undefined ? {} : { memory: suggestion.memory }),
  }
  if (resume === undefined && id >= trials) return running > 0 ? 'wait' : 'done' // a running trial may be resumed later
  study.memory = suggestion.memory ?? memory
  if (resume !== undefined) {
    const step = await readyToResume(trialFolder(directory, resume))
    study.emit({ type: 'trial.resumed', trial: resume, step, ...rest })
    return { id: resume, resumes: step > 0, acceptChanges: trialOf(study, resume).from !== undefined }
  }
  study.emit({ type: 'trial.started', trial: id, choice, ...rest, ...(from === undefined ? {} : { from }) })
  if (from !== undefined) await branchFrom(directory, from, id, choice)
  return { id, resumes: from !== undefined, acceptChanges: from !== undefined }
}

/** Prepares a trial that was running when the study was stopped or killed. */
async function prepareInterrupted(study: StudyInProgress, { id, from, choice }: Trial): Promise<Attempt> {
  const step = await readyToResume(trialFolder(study.directory, id))
  study.emit({ type: 'trial.resumed', trial: id, step })
  if (step === 0 && from !== undefined) await branchFrom(study.directory, from, id, choice)
  return { id, resumes: step > 0 || from !== undefined, acceptChanges: from !== undefined }
}

/** The next trial to run, or the reason for none. */
async function nextAttempt(study: StudyInProgress, left: Trial[], running: number): Promise<Attempt | 'wait' | 'done'> {
  const again = left.shift()
  if (again !== undefined) return prepareInterrupted(study, again)
  const move = await nextSuggestion(study, running)
  if (move !== 'wait' || running > 0) return move
  throw new AttuneError(
    'TUNER_STUCK',
    `the tuner waits for a trial to end, but none of the ${study.trialsSoFar.length} trials is running`,
    'Report this to the author of the tuner.',
  )
}

/**
 * Runs trials until the study is over. Resolves to the reason: `finished`, or the one that `stops` emitted.
 * @throws AttuneError `TUNER_STUCK`
 */
export async function runStudy(study: StudyInProgress, stops: Observable<string>): Promise<string> {
  const running = new Map<number, { readonly launched: Launched; readonly over: Promise<void> }>()
  const left = study.trialsSoFar.filter(({ state }) => state === 'running')
  let [stopped, done]: [string | undefined, boolean] = [undefined, false]
  const listening = stops.subscribe((because) => {
    stopped ??= because
    for (const { launched } of running.values()) launched.stop(because)
  })
  const start = (attempt: Attempt): void => {
    const launched = launch(study, attempt)
    const over = followTrial(study, launched, attempt.id).finally(() => running.delete(attempt.id))
    over.catch(() => undefined) // it is awaited below
    running.set(attempt.id, { launched, over })
  }
  try {
    for (;;) {
      while (!done && stopped === undefined && running.size < study.parallel) {
        const move = await nextAttempt(study, left, running.size)
        if (typeof move === 'object') start(move)
        else if (move === 'wait') break
        else done = true
      }
      if (running.size === 0) return stopped ?? 'finished'
      await Promise.race([...running.values()].map(({ over }) => over))
      const { trialsSoFar, goals, directory, keepAll } = study
      if (!keepAll) removeModels(directory, trialsSoFar, bestTrials(trialsSoFar, goals))
    }
  } finally {
    for (const { launched } of running.values()) launched.stop('the study failed')
    await Promise.allSettled([...running.values()].map(({ over }) => over))
    listening.unsubscribe()
  }
}
