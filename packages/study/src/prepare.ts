import { resolve } from 'node:path'
import {
  AttuneError,
  type Chosen,
  type Goal,
  type Metric,
  type Pruner,
  type Space,
  type Tuner,
  choosePlugins,
  directionOf,
  fieldsRead,
  parseConfig,
} from '@attune/core'
import { type Lookup, type Plan, type RunConfig, type RunOptions, planRun, userLookup } from '@attune/trainer/node'
import { z } from 'zod'
import type { Directions } from './events.js'
import { checkSpace, orderSpace } from './space.js'
import { type StudyConfig, type StudySettings, studySchema } from './study-config.js'

/** A validated study, ready to start. */
export interface PreparedStudy extends Pick<StudySettings, 'trials' | 'parallel' | 'keepAll'> {
  /** Base configuration of every trial, without its choice. */
  readonly config: RunConfig
  readonly seed: number
  readonly space: Space
  readonly tuner: Tuner
  readonly pruner: Pruner | undefined
  readonly goals: readonly Goal[]
  /** Absolute path. */
  readonly directory: string
}

/** Optimization directions of a run's scores; metrics that need injected components are left out. */
export function directionsOf(metrics: readonly Chosen[]): Directions {
  const known = metrics.flatMap(({ plugin, options, common }): [string, Metric['direction']][] => {
    if (plugin.needs !== undefined) return []
    const { name, direction } = plugin(options) as Metric
    return [[common?.['of'] === undefined ? name : `${String(common['of'])}.${name}`, direction]]
  })
  return { loss: 'minimize', ...Object.fromEntries(known) }
}

/** Returns the goals with their directions. @throws AttuneError `UNKNOWN_SCORE` */
function goalsOf({ goals }: StudySettings, { config }: Pick<Plan, 'config'>): readonly Goal[] {
  const scores = directionsOf(config.metric)
  const areAllKnown = config.metric.every(({ plugin }) => plugin.needs === undefined)
  return goals.map(({ score, direction }) => {
    if (direction !== undefined && !areAllKnown) return { score, direction }
    const usual = directionOf({ scores }, score, 'study.goals')
    return { score, direction: direction ?? usual }
  })
}

/** The run configuration of a study configuration. */
export function runConfigOf({ study: _study, ...config }: StudyConfig): RunConfig {
  return config
}

async function choose(settings: StudySettings, lookup: Lookup) {
  const { tuner, pruner } = settings
  const chosen = await choosePlugins({ tuner, ...(pruner === undefined ? {} : { pruner }) }, lookup)
  const made = ({ plugin, options }: Chosen): unknown => plugin(options)
  return {
    tuner: made(chosen.tuner) as Tuner,
    pruner: chosen.pruner === undefined ? undefined : (made(chosen.pruner) as Pruner),
  }
}

/**
 * Validates a study: its run configuration, its settings, its plugins and every path of the search space.
 * @throws AttuneError `BAD_CONFIG`, `BAD_SPACE`, `UNKNOWN_SCORE`, `UNKNOWN_PLUGIN`
 */
export async function prepareStudy(config: StudyConfig, options: RunOptions): Promise<PreparedStudy> {
  const schema = z.looseObject({ study: studySchema })
  const settings = parseConfig(schema, config, options.locate).study as StudySettings
  const lookup = userLookup(options)
  const plan = await planRun(runConfigOf(config), options)
  const space = orderSpace(settings.space)
  const { directory: _own, tracker: _trackers, ...silent } = runConfigOf(config)
  const base = settings.trackers && config.tracker !== undefined ? { ...silent, tracker: config.tracker } : silent
  await checkSpace(base, space, lookup)
  const { trials, parallel, keepAll } = settings
  return {
    config: base,
    seed: plan.config.seed,
    space,
    ...(await choose(settings, lookup)),
    goals: goalsOf(settings, plan),
    trials,
    parallel,
    keepAll,
    directory: resolve(options.baseDirectory ?? '.', settings.directory),
  }
}

/** Field of the label that an objective reads. @throws AttuneError `NOT_A_CLASSIFIER` for an objective without a label */
export function labelField(objective: Chosen): string {
  const [label] = fieldsRead(objective, 'label')
  if (label !== undefined) return label
  throw new AttuneError(
    'NOT_A_CLASSIFIER',
    `expected an objective with a label for each text, got ${objective.plugin.name}`,
    'Use a configuration of sequence-classification.',
  )
}

/**
 * Requires a folder, and validation data of its own, for runs whose training rows differ.
 * @param runs name of the runs, such as `rounds`
 * @returns the folder
 * @throws AttuneError `BAD_CONFIG`
 */
export function requireOwnValidation({ config, directory }: Plan, runs: string): string {
  const remedy = 'Correct the configuration: `directory: FOLDER`, `data.validation: { use: jsonl, path: FILE }`.'
  if (directory === undefined)
    throw new AttuneError('BAD_CONFIG', `expected a \`directory\` for the ${runs}, got none`, remedy)
  if (config.data.validation !== undefined) return directory
  throw new AttuneError(
    'BAD_CONFIG',
    `expected \`data.validation\`, since the ${runs} would hold out different rows, got none`,
    remedy,
  )
}

/** @throws AttuneError `BAD_ARGUMENT` */
export function requireNoScope({ scope, searchPaths }: RunOptions): void {
  if (scope === undefined && (searchPaths?.registered ?? []).length === 0) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    'expected no `scope` and no registered plugins for trials in child processes',
    'Remove `scope` and `searchPaths.registered`, or set `study.parallel: 1`.',
  )
}
