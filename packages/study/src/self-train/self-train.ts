import { join } from 'node:path'
import {
  AttuneError,
  type Direction,
  type RunEvent,
  SOURCE,
  type Source,
  choosePlugins,
  directionOf,
  fieldsRead,
  isAttuneError,
  parseConfig,
  use,
} from '@attune/core'
import { type Plan, type RunConfig, planRun, userLookup } from '@attune/trainer/node'
import type { Observable } from 'rxjs'
import { readyToResume } from '../disk.js'
import { type Emit, eventEmitter } from '../event-emitter.js'
import type { SelfTrainingEvent } from '../events.js'
import { type Folder, openFolder } from '../folder.js'
import type { Values } from '../past-run.js'
import { directionsOf, labelField, requireOwnValidation } from '../prepare.js'
import { type Progressed, runToEnd } from '../run-to-end.js'
import { type StudyOptions, stoppable } from '../study.js'
import { type Confidence, type SelfTrainingData, assignLabels } from './assign-labels.js'

/** Options of {@link selfTrain}. */
export interface SelfTrainOptions extends StudyOptions {
  /** Unlabelled rows, as under `data` in a configuration. A label in them is not read. */
  readonly unlabelled: unknown
  /**
   * Configuration of the rounds after the first model, which have more rows: fewer epochs, a larger model, augmentation. Its `data` and
   * `directory` are not read. Default: the same
   */
  readonly student?: RunConfig
  /** Rounds after the first model, at least 1. Default: 1 */
  readonly rounds?: number
  /** Minimum probability of a predicted label that trains, in [0, 1]. Default: 0.9 */
  readonly threshold?: number
  /** True to choose the same fraction of the predictions of each label. Default: false */
  readonly balanced?: boolean
  /** Validation score that ranks the rounds. Default: the first metric of the configuration, otherwise `loss` */
  readonly metric?: string | undefined
}

/** Settings that may change when self-training is resumed. */
const FREE = ['config.directory', 'student.directory']

/** A validated self-training. */
interface Prepared extends Confidence {
  readonly config: RunConfig
  readonly student: RunConfig
  readonly options: SelfTrainOptions
  readonly data: SelfTrainingData
  readonly folder: Folder
  readonly rounds: number
  readonly metric: string
  readonly direction: Direction
}

/** Rounds so far: validation scores by round, and the rounds whose labels are written. */
interface Progress {
  readonly completed: Map<number, Values>
  readonly assigned: Set<number>
}

/** @throws AttuneError `BAD_CONFIG`, `BAD_ARGUMENT` */
function requireSettings(plan: Plan, { rounds = 1, threshold = 0.9 }: SelfTrainOptions): string {
  if (!Number.isInteger(rounds) || rounds < 1 || !(threshold >= 0 && threshold <= 1))
    throw new AttuneError(
      'BAD_ARGUMENT',
      `self-training: expected at least 1 round and a threshold in [0, 1], got ${rounds} and ${threshold}`,
      'Pass another number.',
    )
  return requireOwnValidation(plan, 'rounds')
}

/** @throws AttuneError `NOT_A_CLASSIFIER` for an objective without a label */
async function dataOf({ config }: Plan, options: SelfTrainOptions): Promise<SelfTrainingData> {
  const parsed = { source: parseConfig(use(SOURCE), options.unlabelled) }
  const { source } = await choosePlugins(parsed, userLookup(options))
  const { objective } = config
  const { train } = config.data
  return {
    labelled: train.plugin(train.options) as Source,
    unlabelled: source.plugin(source.options) as Source,
    texts: fieldsRead(objective, 'text'),
    label: labelField(objective),
  }
}

/** Runs one round. Resolves to the reason to stop, or to undefined. */
async function runRound(
  round: number,
  { folder, data, config, student, options, rounds, ...confidence }: Prepared,
  { assigned }: Progress,
  stops: Observable<string>,
  emit: Emit<SelfTrainingEvent>,
): Promise<string | undefined> {
  const directory = join(folder.directory, 'rounds', String(round))
  const step = await readyToResume(directory)
  emit({ type: 'round.started', round, rounds, step }, false)
  const path = join(folder.directory, `train-${round}.jsonl`)
  if (round > 0 && !assigned.has(round)) {
    const teacher = join(folder.directory, 'rounds', String(round - 1))
    try {
      emit({ type: 'pseudoLabels.assigned', round, ...(await assignLabels(teacher, data, confidence, path, options)) })
    } catch (error) {
      if (round === 1 || !isAttuneError(error) || error.code !== 'NOTHING_CONFIDENT') throw error
      return error.problem
    }
  }
  const train = { use: 'jsonl', path }
  const own: RunConfig = round === 0 ? config : { ...student, data: { ...config.data, train } }
  const progressed = (report: Progressed): void => emit({ ...report, type: 'round.progressed', round }, false)
  const ended = await runToEnd({ config: own, directory, resumes: step > 0 }, options, stops, progressed)
  const { values, seconds, stopped } = ended
  if (stopped === undefined) emit({ type: 'round.completed', round, values, seconds })
  return stopped
}

/** The final event: the scores of all rounds in order, and the best one. */
function completedEvent({ folder, metric, direction }: Prepared, { completed }: Progress, because: string) {
  const scores = [...completed].sort(([a], [b]) => a - b).map(([, values]) => values[metric] ?? NaN)
  const sign = direction === 'maximize' ? 1 : -1
  const best = scores.length === 0 ? {} : { best: scores.indexOf(sign * Math.max(...scores.map((score) => sign * score))) } // prettier-ignore
  return { type: 'selfTraining.completed', directory: folder.directory, metric, scores, ...best, because } as const
}

async function runRounds(
  prepared: Prepared,
  stops: Observable<string>,
  show: (event: SelfTrainingEvent) => void,
): Promise<void> {
  const { folder, rounds } = prepared
  const progress: Progress = { completed: new Map(), assigned: new Set() }
  const note = (event: RunEvent): void => {
    if (event.type === 'round.completed') progress.completed.set(event.round, event.values)
    if (event.type === 'pseudoLabels.assigned') progress.assigned.add(event.round)
  }
  const emit = eventEmitter(folder, note, show)
  folder.events.forEach(note)
  let because: string | undefined
  const listening = stops.subscribe((reason) => (because ??= reason))
  for (let round = 0; round <= rounds && because === undefined; round++)
    if (!progress.completed.has(round)) because = (await runRound(round, prepared, progress, stops, emit)) ?? because
  listening.unsubscribe()
  emit(completedEvent(prepared, progress, because ?? 'finished'), false)
}

/**
 * Self-training (pseudo-labelling) of a text classifier, as a cold stream of events. Round 0 trains the configuration on its labelled
 * rows. In each later round, the model of the round before (the teacher) labels the unlabelled rows, and a new model (the student), from
 * the same start, trains on the labelled rows and on those where the teacher was confident.
 *
 * Runs are in `<directory>/rounds/<round>`, with the training rows in `<directory>/train-<round>.jsonl`. The best round, by validation
 * score, is named at the end; it may be 0. Starting a stopped or killed self-training again resumes it. Later rounds end early if the
 * teacher is not confident of any row.
 *
 * When to use it: few labels, many unlabelled texts of the same kind. Gotchas: errors of a poor teacher are learned; a teacher that is
 * confident of frequent classes makes them more frequent, see `balanced`. The best of several rounds has an optimistic validation score.
 * Source: Scudder, Probability of Error of Some Adaptive Pattern-Recognition Machines, 1965; Lee, Pseudo-Label, 2013; Xie et al.,
 * Self-Training with Noisy Student, 2020, algorithm 1, for the rounds: noise is that of the configuration, such as dropout and
 * augmentation.
 * @throws AttuneError as the stream's error: `NOTHING_CONFIDENT`, `NOT_A_CLASSIFIER`, `BAD_CONFIG`, `BAD_ARGUMENT`, `UNKNOWN_SCORE`,
 *   `STUDY_IN_USE`, `STUDY_CHANGED`, `STUDY_EXISTS`, `STUDY_DAMAGED`, and the errors of a run
 *
 * @example
 * ```ts
 * import { on } from '@attune/core'
 * import { selfTrain } from '@attune/study'
 * const train = { use: 'jsonl', path: 'train.jsonl' }
 * const config = {
 *   data: { train, validation: train },
 *   tokenizer: { use: 'word', vocabularySize: 100 },
 *   model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
 *   objective: 'sequence-classification',
 *   engine: 'tfjs-cpu',
 *   metric: 'accuracy',
 *   directory: 'runs/self-training',
 * }
 * selfTrain(config, { unlabelled: { use: 'jsonl', path: 'unlabelled.jsonl' }, threshold: 0 })
 *   .pipe(on('selfTraining.completed'))
 *   .subscribe(({ metric, scores }) => console.log(metric, scores.length)) // accuracy 2
 * ```
 */
export const selfTrain = (config: RunConfig, options: SelfTrainOptions): Observable<SelfTrainingEvent> =>
  stoppable(async (stops, show) => {
    const plan = await planRun(config, options)
    const directory = requireSettings(plan, options)
    const { unlabelled, student = config, rounds = 1, threshold = 0.9, balanced = false } = options
    await planRun(student, options) // a fault in it would end the rounds after the first model
    const data = await dataOf(plan, options)
    const directions = directionsOf(plan.config.metric)
    const metric = options.metric ?? Object.keys(directions)[1] ?? 'loss'
    const direction = directionOf({ scores: directions }, metric, 'self-training')
    const settings = { config, student, unlabelled, threshold, balanced, metric }
    const folder = await openFolder(directory, 'self-training', settings, FREE)
    try {
      const prepared = { config, student, options, data, folder, rounds, threshold, balanced, metric, direction }
      await runRounds(prepared, stops, show)
    } finally {
      await folder.close()
    }
  }, options.commands)
