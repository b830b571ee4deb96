import {
  type Batch,
  type Compiled,
  type Encoded,
  type Engine,
  type Model,
  type Objective,
  type OnDevice,
  type Params,
  type Views,
  isTensor,
  leaves,
} from '@attune/core'
import { batch } from '@attune/data'
import type { Auxiliary } from '../step/loss-function.js'
import { yieldToEventLoop } from '../step/yield-to-event-loop.js'
import { type InferenceResult, inferenceStep } from '../step/training-step.js'

/** Number of batches read ahead and sorted by length to reduce padding. */
export const WINDOW = 16

/** An encoded example with its prediction. */
export interface InferredExample {
  readonly item: Encoded
  readonly prediction: Views
}

/** Sum of losses and of their weights. */
export interface LossSum {
  sum: number
  weight: number
  /** The sums and the number of examples of each group, such as a task, of items that have one. Default: not kept. */
  readonly groups?: Map<string, { readonly sum: number; readonly weight: number; readonly examples: number }>
}

/** Adds the losses of a batch of one group. */
function addLosses(loss: LossSum, items: readonly Encoded[], sum: number, weight: number): void {
  loss.sum += sum
  loss.weight += weight
  const group = items[0]?.group
  if (group === undefined || loss.groups === undefined) return
  const own = loss.groups.get(group) ?? { sum: 0, weight: 0, examples: 0 }
  loss.groups.set(group, {
    sum: own.sum + sum,
    weight: own.weight + weight,
    examples: own.examples + items.length,
  })
}

/** Applies a model to encoded examples. */
export interface Inference {
  /** Examples per batch. */
  readonly batchSize: number
  /** Predictions of one batch, in the order of its items. */
  batch(params: Params, items: readonly Encoded[]): Promise<readonly Views[]>
  /**
   * Predictions in the order of the examples. Several batches are read ahead and sorted by length, so use it for finite data.
   * @param loss accumulator for the losses of labelled examples
   */
  run(params: Params, items: AsyncIterable<Encoded>, loss?: LossSum): AsyncIterable<InferredExample>
  dispose(): void
}

/** The compiled forward pass with the objective's head. */
export type InferenceProgram = Compiled<(params: Params, batch: OnDevice<Batch>, own?: Params) => InferenceResult>

/** Components that predict a batch. */
interface BatchPredictor extends Pick<InferenceOptions, 'complete' | 'reference'> {
  readonly engine: Engine
  readonly objective: Objective
  readonly step: InferenceProgram
}

/** Frees a result, except the parameters that a head returns as they are, such as the transitions of a CRF. */
function releaseResult(engine: Engine, result: InferenceResult, params: readonly Params[]): void {
  const kept = new Set<unknown>(params.flatMap((each) => Object.values(each)))
  engine.release(Object.fromEntries(leaves(result, isTensor).filter(([, tensor]) => !kept.has(tensor))))
}

async function predictBatch(
  { engine, objective, step, reference, complete = (batch) => Promise.resolve(batch) }: BatchPredictor,
  params: Params,
  items: readonly Encoded[],
  loss: LossSum | undefined,
): Promise<readonly Views[]> {
  const inputs = engine.put(await complete(objective.collate(items) as Batch))
  const result = reference === undefined ? step(params, inputs) : step(params, inputs, reference.own)
  const { head, lossSum, lossWeight } = await engine.read(result)
  await yieldToEventLoop() // yields to the event loop, as training steps do, so that signals are handled
  releaseResult(engine, result, reference === undefined ? [params] : [params, reference.own])
  if (loss !== undefined) addLosses(loss, items, lossSum.values[0] as number, lossWeight.values[0] as number)
  return objective.predict(head as never, items)
}

/** Positions of the items of each batch; a batch holds one group, sorted by length. */
export function batchPositions(items: readonly Encoded[], batchSize: number): number[][] {
  const groups = new Map<string, number[]>()
  for (const [at, { group = '' }] of items.entries()) {
    const positions = groups.get(group)
    if (positions === undefined) groups.set(group, [at])
    else positions.push(at)
  }
  return [...groups.values()].flatMap((positions) => {
    positions.sort((a, b) => items[a]!.length - items[b]!.length)
    const count = Math.ceil(positions.length / batchSize)
    return Array.from({ length: count }, (_, i) => positions.slice(i * batchSize, (i + 1) * batchSize))
  })
}

/** Compiles a forward pass in evaluation mode (no dropout). `sameParams`: see {@link InferenceOptions}. */
export const inferenceProgram = (
  engine: Engine,
  model: Model,
  objective: Objective,
  sameParams = false,
  reference?: Auxiliary,
): InferenceProgram =>
  engine.compile(inferenceStep({ model, objective, launchBound: engine.launchBound, reference }), {
    donate: [1],
    constant: sameParams ? [0] : [],
  }) as InferenceProgram

/** Options of {@link inference}. */
export interface InferenceOptions {
  readonly batchSize: number
  /** A compiled program to share, for a model and an objective that compute the same; its owner disposes of it. Default: its own. */
  readonly program?: InferenceProgram
  /** True if all calls are for the same parameters, which an engine may then prepack: 2 to 7 % faster on the CPU. Default: false. */
  readonly sameParams?: boolean
  /** Adds inputs of the model to a batch, such as cached outputs of its frozen part. Default: none. */
  readonly complete?: (batch: Batch) => Promise<Batch>
  /** The reference model, with its own parameters, for an objective that compares with it. Default: none. */
  readonly reference?: { readonly auxiliary: Auxiliary; readonly own: Params }
}

/**
 * Compiles the forward pass with the objective's head, in evaluation mode (no dropout).
 *
 * @example
 * ```ts
 * import { Readable } from 'node:stream'
 * import { key } from '@attune/core'
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { sequenceClassification } from '@attune/objective-sequence-classification'
 * import { tinyModel, tinyTokenizer } from '@attune/testkit/tiny'
 * import { encodeAll, inference } from '@attune/trainer'
 * const [engine, model] = [tfjsCpu(), tinyModel()]
 * await engine.start()
 * const objective = sequenceClassification({ labels: ['no', 'yes'] }, { model, tokenizer: tinyTokenizer() })
 * const forward = inference(engine, model, objective, { batchSize: 32 })
 * const { items } = encodeAll(Readable.from([{ text: 'fine', label: 'yes' }]), (row) => objective.encode(row))
 * const params = { ...model.init(key(1)), ...objective.init(key(2)) }
 * for await (const { prediction } of forward.run(params, items)) console.log(Object.keys(prediction)) // [ 'label', 'scores' ]
 * forward.dispose()
 * ```
 */
export function inference(
  engine: Engine,
  model: Model,
  objective: Objective,
  { batchSize, sameParams = false, program, ...completing }: InferenceOptions,
): Inference {
  const step = program ?? inferenceProgram(engine, model, objective, sameParams, completing.reference?.auxiliary)
  const predictor = { engine, objective, step, ...completing }
  async function* run(
    params: Params,
    items: AsyncIterable<Encoded>,
    loss?: LossSum,
  ): AsyncGenerator<InferredExample, void> {
    for await (const window of batch(items, batchSize * WINDOW)) {
      const predictions: Views[] = []
      for (const positions of batchPositions(window, batchSize)) {
        const chosen = positions.map((position) => window[position]!)
        const views = await predictBatch(predictor, params, chosen, loss)
        for (const [i, position] of positions.entries()) predictions[position] = views[i]!
      }
      for (const [i, item] of window.entries()) yield { item, prediction: predictions[i]! }
    }
  }
  return {
    batchSize,
    batch: (params, items) => predictBatch(predictor, params, items, undefined),
    run,
    dispose: () => program === undefined && step.dispose(),
  }
}
