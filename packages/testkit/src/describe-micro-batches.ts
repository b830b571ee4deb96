import {
  type Batch,
  type Encoded,
  type Engine,
  type HostArray,
  type HostTree,
  type Hyper,
  type Losses,
  type Mode,
  type Model,
  type Objective,
  type OnDevice,
  type Params,
  key,
  mapParams,
  stream,
} from '@attune/core'
import { gradients, lossWeights, reduceLosses } from '@attune/nn'
import { type Tensor, add, clone, div, keep } from '@tensorflow/tfjs-core'
import { floats, integers } from './host-array.js'
import { randomPartitions } from './random-partitions.js'
import { expect, it } from './runner.js'
import { trainingLosses } from './training-losses.js'

/** Inputs of a training loss other than examples. */
export interface TrainingFixture {
  /** State that the objective's `beforeEpoch` returns, for its training loss. */
  readonly memory?: HostTree
  /** Replaces the encoded examples by those that the objective's `rollout` returns. */
  readonly afterRollout?: (items: readonly Encoded[]) => readonly Encoded[]
}

/** Objective under test. */
interface Subject extends TrainingFixture {
  readonly engine: Engine
  readonly model: Model
  readonly prepare: () => Promise<{
    readonly objective: Objective
    readonly head: Params
    readonly body: Params
    readonly items: readonly Encoded[]
  }>
}

/** Mean loss over the micro-batches of a step, and its gradients. */
type StepGradients = Record<'loss', HostArray> & { readonly grads: Readonly<Record<string, HostArray>> }

/** Without dropout, which differs between micro-batches. */
const MODE: Mode = { training: false }

/** Number of random partitions. */
const RANDOM_PARTITIONS = 2
/** Maximum number of examples of the batch. */
const MOST_EXAMPLES = 6

const scalarOf = (value: number): HostArray => floats([value], [])
const PROGRESS = { learningRate: scalarOf(0), step: scalarOf(5), steps: scalarOf(10), seed: integers([3, 1], [2]) }

type TrainingLosses = (params: Params, batch: OnDevice<Batch>) => Losses | Readonly<Record<string, Losses>>

const sumOf = (all: readonly Params[]): Params => all.reduce((a, b) => mapParams((x, y) => add(x, y), a, b))

/** Weighted sum of a batch's losses, its weight, and the gradients of the sum. */
function differentiated(
  lossesOf: (params: Params) => ReturnType<TrainingLosses>,
  params: Params,
  batch: OnDevice<Batch>,
  totals?: Params,
) {
  let kept: Tensor | undefined
  const { value, grads } = gradients(() => {
    const { sum, weight } = reduceLosses(lossesOf(params), batch, totals)
    kept = keep(weight) // everything else that is not returned is freed with the tape
    return sum
  }, params)
  const weight = clone(kept!)
  kept!.dispose()
  return { sums: { value, weight }, grads }
}

/** Mean loss and gradients of a step over micro-batches, accumulated as the training loop does. */
function accumulated(lossesOf: TrainingLosses, params: Params, microBatches: readonly OnDevice<Batch>[]) {
  const isWhole = microBatches.length === 1
  const weights = isWhole ? [] : microBatches.map((batch) => lossWeights(lossesOf(params, batch), batch))
  const totals = isWhole ? undefined : sumOf(weights)
  const each = microBatches.map((batch) => differentiated((p) => lossesOf(p, batch), params, batch, totals))
  const { value, weight } = sumOf(each.map(({ sums }) => sums))
  const grads = mapParams((sum) => div(sum, weight!), sumOf(each.map((part) => part.grads)))
  return { loss: div(value!, weight!), grads }
}

/** Weights of examples, different from each other. */
const exampleWeights = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => 0.5 + (i % 4) / 2)

/** Collates items into micro-batches of weighted examples, with one sequence of random numbers. */
function collateParts(objective: Objective, items: readonly Encoded[], sizes: readonly number[]): readonly Batch[] {
  const [random, weights] = [stream(key(7)), exampleWeights(items.length)]
  let end = 0
  return sizes.map((size) => {
    const [from, to] = [end, (end += size)]
    return { ...objective.collate(items.slice(from, to), random), exampleWeights: floats(weights.slice(from, to)) }
  })
}

/** Largest absolute difference of two lists of arrays, relative to the largest absolute value of the second. */
function relativeDifference(found: readonly HostArray[], wanted: readonly HostArray[]): number {
  let [apart, largest] = [0, 0]
  for (const [i, { values }] of wanted.entries())
    for (const [j, value] of values.entries()) {
      const difference = Math.abs(found[i]!.values[j]! - value)
      apart = Number.isNaN(difference) ? Infinity : Math.max(apart, difference)
      largest = Math.max(largest, Math.abs(value))
    }
  return apart / largest
}

/** Difference of loss or gradients, the larger one. */
const deviation = (found: StepGradients, whole: StepGradients): number =>
  Math.max(
    relativeDifference([found.loss], [whole.loss]),
    relativeDifference(Object.values(found.grads), Object.values(whole.grads)),
  )

/**
 * Property of gradient accumulation: the mean training loss of weighted examples and all its gradients are those of the whole batch, for any
 * partition into micro-batches. An objective that compares examples must differ in at least one of them, or reject it.
 */
export function describeMicroBatches({ engine, model, prepare, memory, afterRollout }: Subject): void {
  it('has the training loss and gradients of the whole batch for any partition, unless it compares examples', async () => {
    const { objective, head, body, items: encoded } = await prepare()
    const items = (afterRollout?.(encoded) ?? encoded).slice(0, MOST_EXAMPLES)
    const hyper = engine.put({ ...PROGRESS, scheduled: {}, ...(memory && { memory }) } as HostTree) as unknown as Hyper
    const others = { ...model.init(key(11)), ...objective.init(key(12)) }
    const losses: TrainingLosses = (params, batch) =>
      trainingLosses(objective, model, { params, others, mode: MODE, hyper }, batch)
    const over = async (sizes: readonly number[]): Promise<StepGradients> => {
      const microBatches = collateParts(objective, items, sizes).map((part) => engine.put(part))
      const program = engine.compile((params: Params) => accumulated(losses, params, microBatches))
      return (await engine.read(program({ ...body, ...head }))) as unknown as StepGradients
    }
    const whole = await over([items.length])
    const apart: (readonly [sizes: string, deviation: number])[] = []
    for (const sizes of randomPartitions(items.length, RANDOM_PARTITIONS, stream(key(13)))) {
      const found = objective.comparesExamples === true ? await over(sizes).catch(() => undefined) : await over(sizes)
      apart.push([sizes.join('+'), found === undefined ? Infinity : deviation(found, whole)])
    }
    const unequal = apart.filter(([, by]) => !(by < 1e-5))
    if (objective.comparesExamples === true) expect(unequal.length).toBeGreaterThan(0)
    else expect(unequal).toEqual([])
  })
}
