import {
  AttuneError,
  type Batch,
  type Encoded,
  type Example,
  type Objective,
  type Side,
  closeScope,
  deriveKey,
  key,
} from '@attune/core'
import { batch, count } from '@attune/data'
import { EMPTY } from 'rxjs'
import { locatingErrors } from '../data/locating-errors.js'
import { type Splits, openSplits } from '../data/open-splits.js'
import { openStore } from '../data/store.js'
import { WINDOW, batchPositions } from '../inference/infer.js'
import type { RunOptions } from '../plan/lookup.js'
import { type Plan, planRun } from '../plan/plan.js'
import { type RunConfig, microBatchSizeOf } from '../plan/run-config.js'
import { type Components, compose, componentsOf, fitPlugins } from '../setup/compose.js'
import { withSavedLabels } from '../setup/learned-labels.js'
import { countSteps } from '../setup/count-steps.js'
import { collationNumbers, scheduleTargets } from '../setup/scheduled.js'
import { type EpochOptions, encodeAll, encodeRows, epochBatches } from '../step/batches.js'
import type { InspectedBatch } from './inspected-batch.js'
import { labelsIn, readBatch } from './read-batch.js'

/** Options of {@link inspectBatches}. */
export interface InspectOptions extends RunOptions {
  /** Split to read. Default: `train`. */
  readonly split?: 'train' | 'validation'
}

/** A micro-batch with its examples. */
interface Collated {
  readonly batch: Batch
  readonly items: readonly Encoded[]
}

/** An objective that notes what it collates. */
const noting = (objective: Objective, note: (items: readonly Encoded[]) => void): Objective => ({
  ...objective,
  collate(items, random, numbers) {
    note(items)
    return objective.collate(items, random, numbers)
  },
})

/** Scheduled options of collation by the index of the step in the first epoch. */
async function numbersOf(plan: Plan, splits: Splits, objective: Objective): Promise<EpochOptions['numbersAt']> {
  if (!scheduleTargets(plan).some(({ isCollation }) => isCollation)) return undefined
  const learned = { examples: await count(splits.train.rows()) }
  const steps = plan.config.training.epochs * (await countSteps({ plan, splits, learned }, objective))
  const numbers = collationNumbers(plan, steps)
  return numbers && ((index) => numbers(index + 1))
}

/** Micro-batches of the first epoch, as the training step receives them. */
async function* trainingBatches(plan: Plan, splits: Splits, objective: Objective): AsyncGenerator<Collated, void> {
  const { train } = splits
  const { seed, training } = plan.config
  const taken: (readonly Encoded[])[] = []
  const { items } = encodeRows(train.rows(0), (example) => objective.encode(example))
  for await (const { parts } of epochBatches(
    items,
    noting(objective, (each) => taken.push(each)),
    {
      key: deriveKey(key(seed), 'epoch', 0),
      batchSize: training.batchSize,
      microBatchSize: microBatchSizeOf(training),
      shuffleBuffer: training.shuffleBuffer,
      sampled: train.sampled,
      numbersAt: await numbersOf(plan, splits, objective),
    },
  )) {
    const all = taken.splice(0)
    for (const [i, part] of parts.entries()) yield { batch: part, items: all[i]! }
  }
}

/** Batches of an evaluation: in the order of the examples, sorted by length within a window. */
async function* evaluationBatches(
  plan: Plan,
  { validation }: Splits,
  objective: Objective,
): AsyncGenerator<Collated, void> {
  const size = microBatchSizeOf(plan.config.training)
  const { items } = encodeAll(validation.examples(), (example: Example) => objective.encode(example))
  for await (const window of batch(items, size * WINDOW))
    for (const positions of batchPositions(window, size)) {
      const chosen = positions.map((position) => window[position]!)
      yield { batch: objective.collate(chosen), items: chosen }
    }
}

/** @throws AttuneError `BAD_ARGUMENT` for an objective whose batches need the model */
function requireNoRollout({ components, plan }: { components: Components; plan: Plan }): void {
  if (components.objective.rollout === undefined) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    `objective ${plan.config.objective.plugin.name} generates a part of its batches with the model: expected an objective whose batches are made from the data alone`,
    'Inspect the prompts with `npx attune data prepare`.',
  )
}

/**
 * Yields the batches of a configuration as the training step receives them in its first epoch, or those of an evaluation: the same
 * seed yields the same batches as the run. Fits the vocabulary and the labels; loads no weights and starts no engine, unless the
 * engine is `auto`.
 * @throws AttuneError the errors of a run's configuration and data; `BAD_ARGUMENT` for an objective with a rollout
 *
 * @example
 * ```ts
 * import { inspectBatches } from '@attune/trainer/node'
 * const config = {
 *   data: { train: { use: 'jsonl', path: 'train.jsonl' } }, engine: 'tfjs-cpu',
 *   tokenizer: 'word', model: 'mlp', objective: 'sequence-classification', training: { batchSize: 4 },
 * }
 * for await (const { rows, counts } of inspectBatches(config)) {
 *   console.log(counts.examples, rows.length) // 4 4
 *   break
 * }
 * ```
 */
export async function* inspectBatches(
  config: RunConfig,
  { split = 'train', ...options }: InspectOptions = {},
): AsyncGenerator<InspectedBatch, void> {
  const plan = { ...(await planRun(config, options)), directory: undefined }
  const splits = await openSplits(plan, { store: openStore(options.dataFolder) })
  const fitted = withSavedLabels(plan, await locatingErrors(splits.train, (examples) => fitPlugins(plan, examples)))
  const quiet: Plan = { ...plan, config: { ...plan.config, callback: [], tracker: [] } }
  const scope = compose(quiet, fitted, { parent: options.scope, events: EMPTY })
  try {
    const components = componentsOf(scope)
    requireNoRollout({ components, plan })
    const { objective, tokenizer } = components
    const truncationSide = plan.config.objective.options['truncationSide'] as Side | undefined
    const reader = { tokenizer, truncationSide, labels: labelsIn(objective.config) }
    const read = split === 'train' ? trainingBatches : evaluationBatches
    for await (const { batch: found, items } of read(plan, splits, objective)) yield readBatch(found, items, reader)
  } finally {
    await closeScope(scope)
  }
}
