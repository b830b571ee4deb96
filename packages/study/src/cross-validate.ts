import { join } from 'node:path'
import { AttuneError, type EventOf, type RunEvent } from '@attune/core'
import { type Plan, type RunConfig, countFolds, planRun } from '@attune/trainer/node'
import type { Observable } from 'rxjs'
import { readyToResume } from './disk.js'
import { type Emit, eventEmitter } from './event-emitter.js'
import type { CrossValidationEvent } from './events.js'
import { type Folder, openFolder } from './folder.js'
import { type Progressed, runToEnd } from './run-to-end.js'
import { type StudyOptions, stoppable } from './study.js'
import { summarize } from './summary.js'

/** Options of a cross-validation. */
export interface CrossValidateOptions extends StudyOptions {
  /** True if the fold runs use the configuration's trackers. Default: false. */
  readonly trackers?: boolean
}

type Completed = EventOf<'fold.completed'>

/** @throws AttuneError `BAD_CONFIG` */
function requireFolds({ config, directory }: Plan, folds: number): string {
  const remedy = 'Correct the configuration: `protocol: { use: k-fold }`, `directory: FOLDER`, no `data.validation`.'
  if (directory === undefined)
    throw new AttuneError('BAD_CONFIG', 'expected a `directory` for the folds, got none', remedy)
  if (config.data.validation !== undefined)
    throw new AttuneError('BAD_CONFIG', 'expected no `data.validation`, since the folds split `data.train`', remedy)
  if (folds > 1) return directory
  throw new AttuneError(
    'BAD_CONFIG',
    `expected a protocol with at least 2 folds, got \`${config.protocol.plugin.name}\` with ${folds}`,
    remedy,
  )
}

/** Request to run one fold. */
interface FoldRun {
  readonly fold: number
  readonly folds: number
  readonly directory: string
  readonly config: RunConfig
  readonly options: CrossValidateOptions
}

/** Runs one fold. Resolves to the reason if the run was stopped, and to undefined if it completed. */
async function runFold(
  { fold, folds, directory, config, options }: FoldRun,
  stops: Observable<string>,
  emit: Emit<CrossValidationEvent>,
): Promise<string | undefined> {
  const step = await readyToResume(directory)
  emit({ type: 'fold.started', fold, folds, step }, false)
  const progressed = (report: Progressed): void => emit({ ...report, type: 'fold.progressed', fold }, false)
  const request = { config: { ...config, fold }, directory, resumes: step > 0 }
  const { stopped, ...completed } = await runToEnd(request, options, stops, progressed)
  if (stopped === undefined) emit({ type: 'fold.completed', fold, ...completed })
  return stopped
}

/** The final event of a cross-validation. */
function completedEvent(directory: string, folds: number, completed: ReadonlyMap<number, Completed>, because: string) {
  const done = completed.size === folds ? [...completed.values()].sort((a, b) => a.fold - b.fold) : []
  const tested = done.flatMap(({ test }) => (test === undefined ? [] : [test]))
  return {
    type: 'crossValidation.completed',
    directory,
    folds,
    scores: summarize(done.map(({ values }) => values)),
    ...(tested.length > 0 ? { test: summarize(tested) } : {}),
    because,
  } as const
}

async function runFolds(
  config: RunConfig,
  options: CrossValidateOptions,
  folder: Folder,
  folds: number,
  stops: Observable<string>,
  show: (event: CrossValidationEvent) => void,
): Promise<void> {
  const completed = new Map<number, Completed>()
  const note = (event: RunEvent): void => {
    if (event.type === 'fold.completed') completed.set(event.fold, event)
  }
  const emit = eventEmitter(folder, note, show)
  folder.events.forEach(note)
  let because: string | undefined
  const listening = stops.subscribe((reason) => (because ??= reason))
  for (let fold = 0; fold < folds && because === undefined; fold++) {
    const directory = join(folder.directory, 'folds', String(fold))
    if (!completed.has(fold)) because = await runFold({ fold, folds, directory, config, options }, stops, emit)
  }
  listening.unsubscribe()
  emit(completedEvent(folder.directory, folds, completed, because ?? 'finished'), false)
}

/**
 * Cross-validation: one run of the configuration per fold of its protocol, sequentially, in `<directory>/folds/<fold>`. Returns a cold
 * stream of events. Each fold's model is scored on its validation split and, if the protocol defines one, on its test split. Starting a
 * stopped or killed cross-validation again resumes it at the interrupted fold.
 * @throws AttuneError as the stream's error: `BAD_CONFIG`, `STUDY_IN_USE`, `STUDY_CHANGED`, `STUDY_EXISTS`, `STUDY_DAMAGED`, and
 *   the errors of a run
 *
 * @example
 * ```ts
 * import { on } from '@attune/core'
 * import { crossValidate } from '@attune/study'
 * const events = crossValidate({
 *   data: { train: { use: 'jsonl', path: 'train.jsonl' } },
 *   tokenizer: { use: 'word', vocabularySize: 100 },
 *   model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
 *   objective: 'sequence-classification',
 *   engine: 'tfjs-cpu',
 *   metric: 'accuracy',
 *   training: { epochs: 1 },
 *   protocol: { use: 'k-fold', folds: 2 },
 *   directory: 'runs/folds',
 * })
 * events.pipe(on('crossValidation.completed')).subscribe(({ folds, scores }) => console.log(folds, Object.keys(scores))) // 2 [ 'loss', 'accuracy' ]
 * ```
 */
export const crossValidate = (
  config: RunConfig,
  options: CrossValidateOptions = {},
): Observable<CrossValidationEvent> =>
  stoppable(async (stops, show) => {
    const plan = await planRun(config, options)
    const folds = await countFolds({ ...plan, directory: undefined })
    const directory = requireFolds(plan, folds)
    const { tracker, ...silent } = config
    const own = options.trackers === true && tracker !== undefined ? { ...silent, tracker } : silent
    const folder = await openFolder(directory, 'cross-validation', own, ['directory'])
    try {
      await runFolds(own, options, folder, folds, stops, show)
    } finally {
      await folder.close()
    }
  }, options.commands)
