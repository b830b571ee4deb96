import { type Chosen, type UntimedEvent, fieldsRead, deriveKey, key } from '@attune/core'
import { digest } from '@attune/files'
import { map } from '@attune/data'
import type { PlanOf } from '../plan/plan.js'
import { requiredFields } from '../setup/required-fields.js'
import { type RowDemands, type Split, divide, foldsOf, openSplit, partOf } from '../setup/splits.js'
import { cleaning } from './clean.js'
import { identityOf, nextId, sourceIdentity } from './identity.js'
import { openStages } from './open-stages.js'
import { rowRules } from './row-rules.js'
import { type Row, type Rows, pickedRows, rowsOf } from './rows.js'
import { openSampler } from './sampled.js'
import { type Stage, augmenterStage, balancerStage, cleanerStage, filterStage, sourceStage } from './stages.js'
import { type Store, openStore } from './store.js'

/** The training split. */
export interface TrainingSplit extends Split {
  /** Examples with their weights: those of an epoch in sampler order if there is a sampler; all examples without `epoch`. */
  rows(epoch?: number): AsyncIterable<Row>
  /** Present if a sampler orders the examples: the number per epoch, and `batches` of the sampler. */
  readonly sampled?: { readonly count: number; readonly batches: boolean | 'mixed' }
}

/** Training, validation and test splits. */
export interface Splits {
  readonly train: TrainingSplit
  readonly validation: Split
  /** Test split of the fold for the final evaluation, if there is one. */
  readonly test?: Split
}

/** Configuration keys that data preparation depends on. */
export const DATA_KEYS = [
  'data',
  'cleaner',
  'filter',
  'balancer',
  'augmenter',
  'sampler',
  'protocol',
  'objective',
  'metric',
  'seed',
  'fold',
  'training',
] as const

/** Plan with the keys that data preparation needs. */
export type DataPlan = Pick<PlanOf<(typeof DATA_KEYS)[number]>, 'config' | 'directory'>

/** Store of prepared data and receiver of its events. */
export interface OpenSplitsOptions {
  readonly emit?: (event: UntimedEvent) => void
  readonly store?: Store
}

type Config = DataPlan['config']

/** Format version of stage files; a change prepares all stages again. */
const FORMAT = 'attune stages 2'

/** Requirements on the rows of a split for an objective and metrics. */
export const demandsOf = (objective: Chosen, metrics: readonly Chosen[] = []): RowDemands => ({
  fields: requiredFields(objective, metrics),
  rules: rowRules(objective),
})

/** Cleans the examples of a split as they are read. */
export function cleanedSplit(split: Split, cleaners: readonly Chosen[], objective: Chosen): Split {
  if (cleaners.length === 0) return split
  const clean = cleaning(cleaners, objective)
  return {
    ...split,
    examples: () => map(split.examples(), clean),
    locate: (examples) => split.locate(examples, clean),
  }
}

const splitOf = (split: Split, name: string, rows: Rows): Split => ({
  ...split,
  name,
  examples: () => map(rows.all(), ({ example }) => example),
})

/** Stages before the train/validation split, applied to the whole source example by example, in order. */
async function firstStages({ data, cleaner, filter, objective }: Config, isReadInAnyOrder: boolean): Promise<Stage[]> {
  const fields = fieldsRead(objective)
  const { labels = [] } = objective.options
  let id = nextId(FORMAT, await sourceIdentity(data.train, fields), labels)
  const stages: Stage[] = []
  for (const chosen of cleaner) {
    id = nextId(id, await identityOf(chosen), fieldsRead(objective, 'text'), fieldsRead(objective, 'words'))
    stages.push(cleanerStage(id, chosen, cleaning([chosen], objective)))
  }
  for (const chosen of filter) {
    id = nextId(id, await identityOf(chosen))
    stages.push(filterStage(id, chosen))
  }
  if (stages.length === 0 && isReadInAnyOrder) stages.push(sourceStage(nextId(id, 'rows'), data.train))
  return stages
}

/** Stages of the training split only, independent of the validation split. */
export async function lastStages(
  { balancer, augmenter, seed }: Pick<Config, 'balancer' | 'augmenter' | 'seed'>,
  before: string | undefined,
): Promise<Stage[]> {
  let id = before
  const stages: Stage[] = []
  const { length } = balancer
  for (const [i, chosen] of [...balancer, ...augmenter].entries()) {
    const own = deriveKey(key(seed), 'data', i)
    id = nextId(id, await identityOf(chosen), own)
    stages.push(i < length ? balancerStage(id, chosen, own) : augmenterStage(id, chosen, own))
  }
  return stages
}

/** Sequential rows of a source, read lazily. */
const sequentialRows = (split: Split): Rows => ({
  count: Number.NaN,
  all: () => rowsOf(split.examples()),
  pick: () => {
    throw new Error('rows of a source can only be read in order')
  },
})

async function withOrder(
  split: Split,
  rows: Rows,
  { sampler, objective, seed, training }: Config,
): Promise<TrainingSplit> {
  const train = splitOf(split, 'train', rows)
  if (sampler === undefined) return { ...train, rows: () => rows.all() }
  const order = await openSampler(sampler, rows, { objective, batchSize: training.batchSize, key: key(seed) })
  const { count, batches } = order
  return {
    ...train,
    rows: (epoch) => (epoch === undefined ? rows.all() : order.rows(epoch)),
    sampled: { count, batches },
  }
}

/** Opens the splits of a configuration with data stages. */
async function openPrepared(
  { config, directory }: DataPlan,
  options: OpenSplitsOptions,
  first: readonly Stage[],
): Promise<Splits> {
  const { data, objective, metric, protocol, cleaner } = config
  const hasOwn = data.validation !== undefined
  const { emit = () => undefined, store = openStore() } = options
  const read = openSplit('train', data.train, directory, demandsOf(objective, hasOwn ? [] : metric))
  const clean = cleaning(cleaner, objective)
  const source: Split = { ...read, locate: (examples) => read.locate(examples, clean) }
  const rejected = (): number => source.rejected().count
  const opening = { store, emit, rejected, start: sequentialRows(source) }
  const open = async (stages: readonly Stage[], start: Rows): Promise<Rows> => openStages(stages, { ...opening, start })
  if (data.validation !== undefined) {
    const own = openSplit('validation', data.validation, directory, demandsOf(objective, metric))
    const stages = [...first, ...(await lastStages(config, first.at(-1)?.id))]
    const train = await withOrder(source, await open(stages, opening.start), config)
    return { train, validation: cleanedSplit(own, cleaner, objective) }
  }
  const whole = await open(first, opening.start)
  const { train, validation, test } = await divide(protocol, splitOf(source, 'train', whole), config)
  const picked = (part: readonly number[]): Rows =>
    pickedRows(
      whole,
      [...part].sort((a, b) => a - b),
    )
  const last = await lastStages(config, nextId(first.at(-1)?.id, digest(Int32Array.from(train).join())))
  return {
    train: await withOrder(source, await open(last, picked(train)), config),
    validation: splitOf(source, 'validation', picked(validation)),
    ...(test === undefined ? {} : { test: splitOf(source, 'test', picked(test)) }),
  }
}

/** Opens the splits of a configuration without data stages; examples are cleaned as they are read. */
async function openPlain({ config, directory }: DataPlan): Promise<Splits> {
  const { data, cleaner, objective, metric, protocol } = config
  const open = (name: string, source: Chosen, metrics: readonly Chosen[]): Split =>
    cleanedSplit(openSplit(name, source, directory, demandsOf(objective, metrics)), cleaner, objective)
  const train = open('train', data.train, data.validation === undefined ? metric : [])
  const weightless = (split: Split): TrainingSplit => ({ ...split, rows: () => rowsOf(split.examples()) })
  if (data.validation !== undefined)
    return { train: weightless(train), validation: open('validation', data.validation, metric) }
  const parts = await divide(protocol, train, config)
  return {
    train: weightless(partOf(train, 'train', parts.train)),
    validation: partOf(train, 'validation', parts.validation),
    ...(parts.test === undefined ? {} : { test: partOf(train, 'test', parts.test) }),
  }
}

/**
 * Opens the training, validation and test splits: from the configured sources, or as the protocol splits the training data. Validation
 * examples are cleaned; filters run before the split; balancers and augmenters see only the training split.
 * @throws AttuneError the errors of sources, the protocol and the plugins of the stages
 */
export async function openSplits(plan: DataPlan, options: OpenSplitsOptions = {}): Promise<Splits> {
  const { cleaner, filter, balancer, augmenter, sampler } = plan.config
  const isPlain = [filter, balancer, augmenter].every(({ length }) => length === 0) && sampler === undefined
  // Without stages there is nothing to store, so the source need not be read for its identity.
  if (isPlain && cleaner.length === 0) return openPlain(plan)
  const first = await firstStages(plan.config, sampler !== undefined || balancer.length > 0)
  return isPlain && first.at(-1)?.id === undefined ? openPlain(plan) : openPrepared(plan, options, first)
}

/** Number of folds into which the protocol splits the training data, after cleaners and filters. */
export async function countFolds(
  plan: DataPlan,
  { emit = () => undefined, store = openStore() }: OpenSplitsOptions = {},
) {
  const { data, objective, metric, protocol, seed, filter } = plan.config
  const source = openSplit('train', data.train, plan.directory, demandsOf(objective, metric))
  const stages = filter.length === 0 ? [] : await firstStages(plan.config, false)
  const opening = { store, emit, rejected: () => source.rejected().count, start: sequentialRows(source) }
  const rows = await openStages(stages, opening)
  return (await foldsOf(protocol, splitOf(source, 'train', rows), seed)).length
}
