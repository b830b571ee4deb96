import {
  type Batch,
  type Compiled,
  type Engine,
  type HostArray,
  type Key,
  type OnDevice,
  type Params,
  type Tree,
  deriveKey,
  mapParams,
} from '@attune/core'
import { add } from '@tensorflow/tfjs-core'
import type { StepConstants } from './loss-function.js'
import {
  type Accumulated,
  type StepInputs,
  type StepComponents,
  type StepResult,
  type TrainingState,
  accumulateStep,
  applyStep,
  emptyAccumulation,
  lossWeightsStep,
  trainingStep,
} from './training-step.js'

/** Per-step inputs, on the host. */
export interface HostInputs {
  readonly learningRate: number
  /** Step number, from 1. */
  readonly step: number
  readonly steps: number
  readonly seed: Key
  /** Scheduled options by path. */
  readonly scheduled?: Readonly<Record<string, number>>
}

/** Trees that are constant over many steps, on the device. */
export interface ConstantTrees {
  readonly frozen: Params
  readonly constants: StepConstants
  /** Return value of the objective's `beforeEpoch`. */
  readonly memory?: Tree | undefined
}

/** A compiled training step for a batch of one or several micro-batches. The state is donated to it. */
export interface CompiledStep {
  run(state: TrainingState, kept: ConstantTrees, microBatches: readonly Batch[], inputs: HostInputs): StepResult
  dispose(): void
}

const number = (value: number): HostArray => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })
const seedArray = (seed: Key): HostArray => ({ shape: [2], dtype: 'int32', values: Int32Array.from(seed) })

/** Converts the inputs of a step to host arrays. */
export const stepInputs = ({ learningRate, step, steps, seed, scheduled = {} }: HostInputs) => ({
  learningRate: number(learningRate),
  step: number(step),
  steps: number(steps),
  seed: seedArray(seed),
  scheduled: Object.fromEntries(Object.entries(scheduled).map(([path, value]) => [path, number(value)])),
})

type Rest = [inputs: StepInputs, constants: StepConstants, memory: Tree]
type MicroBatch = [trainable: Params, frozen: Params, batch: OnDevice<Batch>, ...rest: Rest]
type Whole = Compiled<(state: TrainingState, frozen: Params, batch: OnDevice<Batch>, ...rest: Rest) => StepResult>
type Weigh = Compiled<(...microBatch: MicroBatch) => Params>
type Add = Compiled<(sums: Accumulated, ...given: [...MicroBatch, totals: Params]) => Accumulated>
type Apply = Compiled<(state: TrainingState, sums: Accumulated, ...rest: Rest) => StepResult>

/**
 * Compiles the weights of an objective's losses over the micro-batches of a step, empty if it has a single loss. They are needed before the
 * first backward pass, because each loss is divided by its own weight.
 */
function compileTotals(engine: Engine, components: StepComponents) {
  const weigh = engine.compile(lossWeightsStep(components), { donate: [2, 3], constant: [1, 4] }) as unknown as Weigh
  const sum = engine.compile((a: Params, b: Params) => mapParams((x, y) => add(x, y), a, b), { donate: [0, 1] })
  let mayBeSeveral = components.objective.trainingLoss !== undefined
  return {
    of(microBatches: readonly (() => MicroBatch)[]): Params {
      let totals: Params = {}
      for (const [i, microBatch] of (mayBeSeveral ? microBatches : []).entries()) {
        const weights = weigh(...microBatch())
        mayBeSeveral = Object.keys(weights).length > 0
        if (!mayBeSeveral) break
        totals = i === 0 ? weights : sum(totals, weights)
      }
      return totals
    },
    dispose() {
      weigh.dispose()
      sum.dispose()
    },
  }
}

/**
 * Compiles the training step. A batch of one micro-batch runs as a single program, with gradients and update. A batch of several
 * micro-batches accumulates gradients, each micro-batch with its own random key, before one update.
 */
export function compileStep(engine: Engine, given: Omit<StepComponents, 'launchBound'>): CompiledStep {
  const components: StepComponents = { ...given, launchBound: engine.launchBound }
  const whole = engine.compile(trainingStep(components), { donate: [0, 2, 3], constant: [1, 4] }) as unknown as Whole
  const begin = engine.compile(emptyAccumulation)
  const accumulate = engine.compile(accumulateStep(components), {
    donate: [0, 3, 4],
    constant: [2, 5],
  }) as unknown as Add
  const apply = engine.compile(applyStep(components), { donate: [0, 1, 2], constant: [3] }) as unknown as Apply
  const totals = compileTotals(engine, components)
  return {
    run(state, { frozen, constants, memory = {} }, parts, inputs) {
      const put = (seed: Key): StepInputs => engine.put(stepInputs({ ...inputs, seed }))
      const { trainable } = state
      if (parts.length === 1) return whole(state, frozen, engine.put(parts[0]!), put(inputs.seed), constants, memory)
      const microBatches = parts.map((part, i) => (): MicroBatch => {
        const own = put(deriveKey(inputs.seed, 'part', i))
        return [trainable, frozen, engine.put(part), own, constants, memory]
      })
      const weights = totals.of(microBatches)
      const sums = microBatches.reduce((sum, microBatch) => accumulate(sum, ...microBatch(), weights), begin(trainable))
      engine.release(weights)
      return apply(state, sums, put(inputs.seed), constants, memory)
    },
    dispose() {
      for (const program of [whole, begin, accumulate, apply, totals]) program.dispose()
    },
  }
}
