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
  parseConfig,
} from '@attune/core'
import { type Lookup, type Plan, type RunConfig, type RunOptions, planRun, userLookup } from '@attune/trainer/node'
import { z } from 'zod'
import type { Directions } from './events.js'
import { checkSpace, orderSpace } from './space.js'
import { type StudyConfig, type StudySettings, studySchema } from './study-config.js'

/** A study, checked before anything starts. */
export interface PreparedStudy extends Pick<StudySettings, 'trials' | 'parallel' | 'keepAll'> {
  /** The configuration of every trial, before its choice. */
  readonly config: RunConfig
  readonly seed: number
  readonly space: Space
  readonly tuner: Tuner
  readonly pruner: Pruner | undefined
  readonly goals: readonly Goal[]
  /** Absolute. */
  readonly directory: string
}

/** The directions of the scores that a planned run will have, as far as its metrics can be made without one. */
function directionsOf(metrics: readonly Chosen[]): Directions {
  const known = metrics.flatMap(({ plugin, options, common }): [string, Metric['direction']][] => {
    if (plugin.needs !== undefined) return []
    const { name, direction } = plugin(options) as Metric
    return [[common?.['of'] === undefined ? name : `${String(common['of'])}.${name}`, direction]]
  })
  return { loss: 'minimize', ...Object.fromEntries(known) }
}

/** The goals with their directions. @throws AttuneError `UNKNOWN_SCORE` */
function goalsOf({ goals }: StudySettings, { config }: Pick<Plan, 'config'>): readonly Goal[] {
  const scores = directionsOf(config.metric)
  const areAllKnown = config.metric.every(({ plugin }) => plugin.needs === undefined)
  return goals.map(({ score, direction }) => {
    if (direction !== undefined && !areAllKnown) return { score, direction }
    const usual = directionOf({ scores }, score, 'study.goals')
    return { score, direction: direction ?? usual }
  })
}

/** The part of a configuration that is a run's. */
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
 * Checks the configuration of a study: that of the run, the settings, the plugins, and every path of the space.
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

/** @throws AttuneError `BAD_ARGUMENT` */
export function requireNoScope({ scope, places }: RunOptions): void {
  if (scope === undefined && (places?.registered ?? []).length === 0) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    'trials in processes of their own share no scope and no registered plugins with this one',
    'Leave out `scope` and `places.registered`, or set `study.parallel: 1`.',
  )
}
