import type { Command, RunEvent, RunFacts } from '@attune/core'
import type { SearchPaths } from '@attune/resolve'
import { type RunConfig, type RunOptions, evaluationsOf, resume, run } from '@attune/trainer/node'
import { Observable, Subject, concatMap, from } from 'rxjs'
import { type Values, checkpointsOf, labelledStep, valuesOf } from './past-run.js'

/** Request to run a trial. It is plain data if the configuration and the search locations are. */
export interface TrialRequest {
  readonly config: RunConfig
  /** Absolute path of the run folder. */
  readonly directory: string
  readonly baseDirectory: string
  readonly searchPaths?: SearchPaths | undefined
  /** True to resume the run in the folder. */
  readonly resumes: boolean
  /** True if the folder's configuration was changed intentionally. */
  readonly acceptChanges: boolean
  /** Fraction of the run's steps to take, in (0, 1]. */
  readonly budget: number
}

/** Report on a trial's run. */
export type TrialReport =
  | { readonly type: 'scored'; readonly step: number; readonly values: Values }
  | { readonly type: 'tested'; readonly values: Values }
  | { readonly type: 'progressed'; readonly step: number; readonly steps: number; readonly secondsLeft: number }
  | { readonly type: 'ended'; readonly state: 'completed' | 'paused' | 'stopped'; readonly because: string }

/** Length and evaluation schedule of a run. */
interface TrialLength {
  steps: number
  /** Step at which the budget is used up. */
  target: number
  isDue(step: number): boolean
}

function trialLength({ steps, epochs }: RunFacts, { budget, config }: TrialRequest): TrialLength {
  const { evaluateEvery = 'epoch' } = config.training ?? {}
  const interval = evaluateEvery === 'epoch' ? Math.max(1, Math.round(steps / epochs)) : evaluateEvery
  return {
    steps,
    target: Math.min(steps, Math.max(1, Math.ceil(budget * steps))),
    isDue: (step) => step % interval === 0,
  }
}

const SPENT = 'the budget of the trial is used up'
const PROGRESS_MILLISECONDS = 500

/** Sends a run the commands that its budget requires, synchronously, since a run does not wait for commands. */
function budgetController(request: TrialRequest, commands: Subject<Command>) {
  let [length, paused]: [TrialLength | undefined, boolean] = [undefined, false]
  const pause = (): void => {
    paused = true
    commands.next({ type: 'stop', because: SPENT })
  }
  return {
    isPaused: () => paused,
    handle(event: RunEvent): void {
      if (event.type === 'run.started' || event.type === 'run.resumed') {
        length = trialLength(event, request)
        const { target, steps } = length
        if (event.type === 'run.resumed' && target < steps && event.step >= target) pause()
      }
      if (event.type !== 'step.completed' || event.step !== length?.target) return
      if (!length.isDue(event.step))
        commands.next({ type: 'evaluate', because: 'the last step of a trial is evaluated' })
      if (length.target < length.steps) pause()
    },
  }
}

/** Maps the events of a run to reports. `past` holds the evaluations so far. */
function reporter({ directory }: TrialRequest, past: ReadonlyMap<number, Values>, isPaused: () => boolean) {
  const scores = new Map(past)
  let shownAt = 0
  const scored = (step: number, values: Values): TrialReport => {
    scores.set(step, values)
    return { type: 'scored', step, values }
  }
  return (event: RunEvent): readonly TrialReport[] => {
    if (event.type === 'run.resumed') return [...past].map(([step, values]) => scored(step, values))
    if (event.type === 'evaluation.completed') {
      const values = valuesOf(event.scores)
      return [event.split === 'validation' ? scored(event.step, values) : { type: 'tested', values }]
    }
    if (event.type === 'step.completed' && event.at - shownAt >= PROGRESS_MILLISECONDS) {
      shownAt = event.at
      const { step, steps, secondsLeft } = event
      return [{ type: 'progressed', step, steps, secondsLeft }]
    }
    if (event.type === 'command.given' && event.command.type === 'restore') {
      // The kept model is that of an earlier step, so its scores become the trial's.
      const values = scores.get(labelledStep(directory, event.command.label) ?? -1)
      return values === undefined ? [] : [scored(Math.max(...scores.keys()), values)]
    }
    if (event.type !== 'run.completed') return []
    const { model, because } = event
    if (model !== undefined) return [{ type: 'ended', state: 'completed', because }]
    return [{ type: 'ended', state: isPaused() ? 'paused' : 'stopped', because }]
  }
}

/** Reports on a run, or on the rest of a resumed run with the evaluations `past`. */
const follow = (
  request: TrialRequest,
  past: ReadonlyMap<number, Values>,
  stops: Observable<string>,
): Observable<TrialReport> =>
  new Observable((subscriber) => {
    const commands = new Subject<Command>()
    const { directory, config, baseDirectory, searchPaths, resumes, acceptChanges } = request
    const options: RunOptions = { baseDirectory, ...(searchPaths === undefined ? {} : { searchPaths }), commands }
    const { handle, isPaused } = budgetController(request, commands)
    const report = reporter(request, past, isPaused)
    const events = resumes ? resume(directory, { ...options, acceptChanges }) : run({ ...config, directory }, options)
    const running = events.subscribe({
      next(event) {
        handle(event)
        for (const each of report(event)) subscriber.next(each)
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    })
    running.add(stops.subscribe((because) => commands.next({ type: 'stop', because })))
    return running
  })

/**
 * Runs a trial, as a cold stream of reports. A failure of the run is the stream's error.
 * @param stops reasons to stop; the first one ends the run with a checkpoint, an earlier one is replayed
 */
export const runTrial = (request: TrialRequest, stops: Observable<string>): Observable<TrialReport> =>
  request.resumes
    ? from(evaluationsOf(request.directory, checkpointsOf(request.directory)[0] ?? 0)).pipe(
        concatMap((past) =>
          follow(request, new Map([...past].map(([step, scores]) => [step, valuesOf(scores)])), stops),
        ),
      )
    : follow(request, new Map(), stops)
