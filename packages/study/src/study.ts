import { AttuneError, type Command } from '@attune/core'
import type { RunOptions } from '@attune/trainer/node'
import { Observable, ReplaySubject, type Subscription } from 'rxjs'
import { eventEmitter } from './event-emitter.js'
import type { StudyEvent } from './events.js'
import { openFolder } from './folder.js'
import { requireSendable } from './launch.js'
import { prepareStudy, requireNoScope } from './prepare.js'
import { type StudyInProgress, runStudy } from './run-study.js'
import type { StudyConfig } from './study-config.js'
import { bestTrials, withEvent } from './trials.js'

/** Options of a study. A `stop` among `commands` ends it after the steps in flight, with checkpoints. */
export type StudyOptions = Omit<RunOptions, 'commands'> & { readonly commands?: Observable<Command> }

/** Settings that may change when a study is resumed. */
const FREE = ['study.trials', 'study.parallel', 'study.keepAll', 'study.directory', 'directory']

async function executeStudy(
  config: StudyConfig,
  options: StudyOptions,
  stops: Observable<string>,
  show: (event: StudyEvent) => void,
): Promise<void> {
  const prepared = await prepareStudy(config, options)
  const { directory, goals, trials, parallel } = prepared
  if (parallel > 1) {
    requireSendable(prepared.config)
    requireNoScope(options)
  }
  const folder = await openFolder(directory, 'study', config, FREE)
  try {
    const earlier = folder.events.reduce(withEvent, [])
    const study: StudyInProgress = {
      ...prepared,
      options,
      trialsSoFar: earlier,
      memory: folder.events.reduce<unknown>((memory, event) => ('memory' in event ? event.memory : memory), undefined),
      emit: eventEmitter(folder, (event) => void (study.trialsSoFar = withEvent(study.trialsSoFar, event)), show),
    }
    study.emit({ type: 'study.started', directory, goals, trials, parallel, earlier }, false)
    const because = await runStudy(study, stops)
    const best = bestTrials(study.trialsSoFar, goals)
    study.emit({ type: 'study.completed', trials: study.trialsSoFar, best, because }, false)
  } finally {
    await folder.close()
  }
}

/** Wraps `work` in a cold stream of its events; a `stop` command or unsubscribing stops it. */
export const stoppable = <E>(
  work: (stops: Observable<string>, show: (event: E) => void) => Promise<void>,
  commands: Observable<Command> | undefined,
): Observable<E> =>
  new Observable((subscriber) => {
    const stops = new ReplaySubject<string>(1)
    const outside: Subscription | undefined = commands?.subscribe((command) => {
      if (command.type === 'stop') return stops.next(command.because)
      const problem = `expected a \`stop\` command, got \`${command.type}\``
      subscriber.error(new AttuneError('BAD_ARGUMENT', problem, 'Send other commands to the runs through callbacks.'))
      stops.next(problem)
    })
    work(stops, (event) => subscriber.next(event))
      .then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
      .finally(() => outside?.unsubscribe())
    return () => stops.next('unsubscribed')
  })

/**
 * Hyperparameter study (tuning), as a cold stream of its events: subscribing starts the study, or resumes the one in its folder. Each
 * trial is a run of the configuration with the tuner's choice, in `<study.directory>/trials/<id>`.
 *
 * Everything is validated before the first trial. Unsubscribing, or a `stop` among `options.commands`, lets the steps in flight
 * finish and saves checkpoints. Starting a stopped or killed study again resumes it: interrupted trials resume from their
 * checkpoints or restart, and the tuner repeats its suggestions. With `parallel: 1` the resulting trials are those of an
 * uninterrupted study; with more, tuners and pruners see trials in the order in which they happen to end.
 * If a run fails, its trial is marked as failed and the study continues.
 * @throws AttuneError as the stream's error: `BAD_CONFIG`, `BAD_SPACE`, `UNKNOWN_SCORE`, `STUDY_IN_USE`, `STUDY_CHANGED`,
 *   `STUDY_EXISTS`, `STUDY_DAMAGED`, `TUNER_STUCK`
 *
 * @example
 * ```ts
 * import { on } from '@attune/core'
 * import { study } from '@attune/study'
 * const events = study({
 *   data: { train: { use: 'jsonl', path: 'train.jsonl' } },
 *   tokenizer: { use: 'word', vocabularySize: 100 },
 *   model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
 *   objective: 'sequence-classification',
 *   engine: 'tfjs-cpu',
 *   metric: 'accuracy',
 *   training: { epochs: 1 },
 *   study: {
 *     space: { 'training.learningRate': { from: 1e-3, to: 1e-1, scale: 'log' } },
 *     trials: 2,
 *     goals: 'accuracy',
 *     directory: 'runs/study',
 *   },
 * })
 * events.pipe(on('study.completed')).subscribe(({ trials, best }) => console.log(trials.length, best.length)) // 2 1
 * ```
 */
export const study = (config: StudyConfig, options: StudyOptions = {}): Observable<StudyEvent> =>
  stoppable((stops, show) => executeStudy(config, options, stops, show), options.commands)
