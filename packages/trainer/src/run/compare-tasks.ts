import { Readable } from 'node:stream'
import {
  type Batch,
  type Compiled,
  type Encoded,
  type Example,
  AttuneError,
  type HostArray,
  type Params,
  key,
} from '@attune/core'
import { addContingency, normalizedInformation } from '@attune/data'
import type { RunOptions } from '../plan/lookup.js'
import { planRun } from '../plan/plan.js'
import type { RunConfig } from '../plan/run-config.js'
import { closeSession } from '../setup/open.js'
import type { Session } from '../setup/session.js'
import { encodeAll, encodeRows } from '../step/batches.js'
import { fieldsOf } from '../step/kept-fields.js'
import { stepInputs } from '../step/compiled-step.js'
import { type Affinity, affinityStep } from '../step/task-affinity.js'
import { type TaskSkill, constantPrediction, skillOf } from './constant-prediction.js'
import { openTrial } from './open-trial.js'
import { fieldsOfMetrics, score } from './score.js'
import { inputsOf } from './step-inputs.js'
import { groupByAffinity } from './group-by-affinity.js'

/** Comparison of the tasks of a configuration; matrices have a row and a column for each task, in the order of `tasks`. */
export interface TaskComparison {
  readonly tasks: readonly string[]
  readonly steps: number
  /** Mean loss of each task before the first step and before the last. A task whose loss falls little is difficult, or slow. */
  readonly losses: readonly { readonly first: number; readonly last: number }[]
  /** Cosines of the gradients of the shared parameters, in [−1, 1], means over the steps. Below 0: the tasks conflict. */
  readonly cosines: readonly (readonly number[])[]
  /** Inter-task affinities, means over the steps: above 0, a step on the task of the row lowers the loss of that of the column. */
  readonly affinities: readonly (readonly number[])[]
  /** Jaccard similarity of the tokens of the tasks' texts, in [0, 1]. */
  readonly overlaps: readonly (readonly number[])[]
  /**
   * Score of each task on the validation split after the last step, next to that of a constant prediction; null for a task without a
   * metric. A task whose skill stays near 0 is difficult; one whose constant prediction scores high has little to learn.
   */
  readonly skills: readonly (TaskSkill | null)[]
  /**
   * Dependence of the tasks' labels: their normalized mutual information over the training texts that both tasks label, in [0, 1]; null
   * without such texts. 0: the label of one task says nothing of that of the other.
   */
  readonly dependences: readonly (readonly (number | null)[])[]
  /** Tasks to train together: the partition with the highest sum of affinities to a task from the others in its group. */
  readonly groups: readonly (readonly string[])[]
}

/** Options of a comparison of tasks. */
export interface ComparisonOptions extends RunOptions {
  /** Number of steps, 1 or more. Default: 20. */
  readonly steps?: number
  /** Receives the number of steps completed. */
  readonly progress?: (step: number) => void
}

type ByTask = ReadonlyMap<string, readonly Encoded[]>

/** The first items of each task, at most `size`. */
async function firstOfTasks(items: AsyncIterable<Encoded>, size: number): Promise<ByTask> {
  const rows = new Map<string, Encoded[]>()
  for await (const item of items) {
    const own = rows.get(item.group ?? '') ?? []
    rows.set(item.group ?? '', own)
    if (own.length < size) own.push(item)
  }
  return rows
}

/** The first training rows of each task. @throws AttuneError `BAD_ARGUMENT` for fewer than two tasks */
async function trainingRows({ splits, components }: Session, size: number): Promise<ByTask> {
  const encode = (example: Example): Encoded => components.objective.encode(example)
  const rows = await firstOfTasks(encodeRows(splits.train.rows(), encode).items, size)
  if (rows.size > 1) return rows
  throw new AttuneError(
    'BAD_ARGUMENT',
    `expected training rows of two or more tasks, got ${rows.size}`,
    'Use a configuration with `objective: { use: multi-task }`.',
  )
}

/** Token ids of the texts of some items. */
function tokensOf({ components }: Session, items: readonly Encoded[]): ReadonlySet<number> {
  const { inputIds, attentionMask } = components.objective.collate(items).inputs as Record<string, HostArray>
  return new Set([...inputIds!.values].filter((_, i) => attentionMask?.values[i] !== 0))
}

const jaccard = (a: ReadonlySet<number>, b: ReadonlySet<number>): number => {
  const both = [...a].filter((id) => b.has(id)).length
  return both / (a.size + b.size - both)
}

/** The token ids of each item, and its label if it is one name. */
function labelsByText({ components: { objective } }: Session, items: readonly Encoded[]): ReadonlyMap<string, string> {
  return new Map(
    items.flatMap((item) => {
      const { inputIds, attentionMask } = objective.collate([item]).inputs as Record<string, HostArray>
      const label = Object.values(objective.reference(item)).find((view) => typeof view === 'string')
      const ids = [...inputIds!.values].filter((_, i) => attentionMask?.values[i] !== 0)
      return label === undefined ? [] : [[ids.join(' '), label] as const]
    }),
  )
}

/** Normalized mutual information of the labels of the texts that two tasks have in common; null without such texts. */
function dependence(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): number | null {
  const common = [...a.keys()].filter((text) => b.has(text))
  const labels = (of: ReadonlyMap<string, string>): string[] => common.map((text) => of.get(text)!)
  return common.length === 0 ? null : normalizedInformation(addContingency({}, labels(a), labels(b)))
}

/** Scores of the trained tasks and of constant predictions on the first validation rows of each task. */
async function skillsOf(session: Session, training: ByTask, size: number): Promise<(TaskSkill | null)[]> {
  const { components, splits, inference, adapted, runState } = session
  const { objective, metrics } = components
  const encode = (example: Example): Encoded => objective.encode(example)
  const { items } = encodeAll(splits.validation.examples(), encode, fieldsOfMetrics(metrics))
  const rows = await firstOfTasks(items, size)
  const params = { ...adapted.frozen, ...runState.state.trainable }
  const all = Readable.from([...rows.values()].flat())
  const { scores } = await score(inference, objective, metrics, params, all)
  return [...training].map(([task, seen]) => {
    const [metric, own] = [metrics.find(({ name }) => name.startsWith(`${task}.`)), rows.get(task)]
    if (metric === undefined || own === undefined) return null
    const references = (of: readonly Encoded[]): unknown[] =>
      of.map((item) => objective.reference(item)[metric.compares])
    const constant = constantPrediction(metric.compares, references(seen))
    const fields = metric.fields && own.map((item) => fieldsOf(item, metric.fields!))
    const state = metric.add(metric.init(), references(own).map(constant), references(own), fields)
    return skillOf(metric, { constant: metric.result(state).value, trained: scores[metric.name]!.value })
  })
}

/** Values on the host of one step. */
type Measured = Record<'losses' | 'cosines' | 'affinities', { readonly values: ArrayLike<number> }>

/** Names of the parameters of the objective's head. */
function headNames({ components: { engine, objective } }: Session): ReadonlySet<string> {
  const made = engine.compile(() => objective.init(key(0)))() as Params
  engine.release(made)
  return new Set(Object.keys(made))
}

/** The batch of a task in a step: its rows in order, again and again. */
function batchAt(session: Session, items: readonly Encoded[], step: number): Batch {
  const { objective } = session.components
  const { batchSize } = session.plan.config.training
  const size = Math.min(batchSize, items.length)
  const chosen = Array.from({ length: size }, (_, i) => items[((step - 1) * size + i) % items.length]!)
  return objective.collate(chosen) as Batch
}

/** Measures each step and takes it, with the peak learning rate. */
async function measure(
  session: Session,
  rows: ByTask,
  { steps, progress }: Required<Pick<ComparisonOptions, 'steps' | 'progress'>>,
) {
  const { components, adapted, optimizer, runState } = session
  const { engine, objective } = components
  const { learningRate } = session.plan.config.training
  const heads = headNames(session)
  const program = engine.compile(
    affinityStep({ model: adapted.model, objective, optimizer, isShared: (name) => !heads.has(name) }),
    { donate: [0, 2, 3], constant: [1] },
  ) as unknown as Compiled<(...given: readonly unknown[]) => Affinity>
  const measured: Measured[] = []
  for (let step = 1; step <= steps; step++) {
    const batches = engine.put(
      Object.fromEntries([...rows].map(([name, items]) => [name, batchAt(session, items, step)])),
    )
    const hyper = engine.put(stepInputs({ ...inputsOf(session, step), learningRate }))
    const { state, ...result } = program(runState.state, adapted.frozen, batches, hyper)
    runState.state = state
    measured.push((await engine.read(result)) as unknown as Measured)
    engine.release(result)
    progress(step)
  }
  program.dispose()
  return measured
}

/** Mean of a matrix over the steps, as rows. */
function meanRows(measured: readonly Measured[], of: 'cosines' | 'affinities', count: number): number[][] {
  const mean = (at: number): number => measured.reduce((sum, each) => sum + each[of].values[at]!, 0) / measured.length
  return Array.from({ length: count }, (_, i) => Array.from({ length: count }, (__, j) => mean(i * count + j)))
}

/**
 * Compares the tasks of a multi-task configuration over a few steps on all of them, with the optimizer and the learning rate of the
 * configuration but without its schedule: similarity of gradients and of vocabulary, dependence of labels, fall of the loss, scores next to
 * those of constant predictions, and inter-task affinity, with a suggestion which tasks to train together. Nothing is saved. Affinities are of a short training, and small: compare with runs.
 *
 * Sources: Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning, 2021 (affinity); Bjerva, Will My Auxiliary Tagging
 * Task Help?, 2017 (mutual information of labels).
 * @throws AttuneError `BAD_ARGUMENT` for fewer than two tasks, and the errors of a run
 */
export async function compareTasks(
  config: RunConfig,
  { steps = 20, progress = () => undefined, ...options }: ComparisonOptions = {},
): Promise<TaskComparison> {
  const { sampler: _, ...rest } = config as RunConfig & { sampler?: unknown }
  const { session } = await openTrial(await planRun(rest as RunConfig, options), options)
  try {
    const batchSize = session.plan.config.training.batchSize
    const rows = await trainingRows(session, steps * batchSize)
    const tasks = [...rows.keys()]
    const tokens = [...rows.values()].map((items) => tokensOf(session, items))
    const measured = await measure(session, rows, { steps, progress })
    const affinities = meanRows(measured, 'affinities', tasks.length)
    const labels = [...rows.values()].map((items) => labelsByText(session, items))
    return {
      tasks,
      steps,
      losses: tasks.map((__, i) => ({
        first: measured[0]!.losses.values[i]!,
        last: measured.at(-1)!.losses.values[i]!,
      })),
      cosines: meanRows(measured, 'cosines', tasks.length),
      affinities,
      overlaps: tokens.map((a) => tokens.map((b) => jaccard(a, b))),
      skills: await skillsOf(session, rows, steps * batchSize),
      dependences: labels.map((a) => labels.map((b) => dependence(a, b))),
      groups: groupByAffinity(affinities).map((group) => group.map((i) => tasks[i]!)),
    }
  } finally {
    await closeSession(session)
  }
}
