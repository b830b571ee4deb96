import {
  type Batch,
  type Compiled,
  type Engine,
  type HostArray,
  type Key,
  type OnDevice,
  type Params,
  fold,
} from '@attune/core'
import {
  type Accumulated,
  type StepInputs,
  type StepParts,
  type StepResult,
  type TrainingState,
  accumulateStep,
  applyStep,
  nothingAccumulated,
  trainingStep,
} from './training-step.js'

/** What varies from step to step, on the host. */
export interface HostInputs {
  readonly learningRate: HostArray
  readonly step: HostArray
  readonly seed: Key
}

/** A training step made ready to run on a batch in one part or several. It takes the state over. */
export interface CompiledStep {
  run(state: TrainingState, frozen: Params, parts: readonly Batch[], inputs: HostInputs): StepResult
  dispose(): void
}

const seedArray = (seed: Key): HostArray => ({ shape: [2], dtype: 'int32', values: Int32Array.from(seed) })

type Whole = Compiled<(state: TrainingState, frozen: Params, batch: OnDevice<Batch>, inputs: StepInputs) => StepResult>
type Add = Compiled<
  (
    sums: Accumulated,
    trainable: Params,
    frozen: Params,
    batch: OnDevice<Batch>,
    seed: OnDevice<HostArray>,
  ) => Accumulated
>
type Apply = Compiled<
  (state: TrainingState, sums: Accumulated, inputs: Pick<StepInputs, 'learningRate' | 'step'>) => StepResult
>

/**
 * Compiles the training step. A batch in one part is one program, gradients and update together; one in several parts adds
 * up gradients, part by part, each with randomness of its own, and is then updated from.
 */
export function compileStep(engine: Engine, given: Omit<StepParts, 'launchBound'>): CompiledStep {
  const parts: StepParts = { ...given, launchBound: engine.launchBound }
  const whole = engine.compile(trainingStep(parts), { donate: [0, 2, 3], constant: [1] }) as Whole
  const begin = engine.compile(nothingAccumulated)
  const accumulate = engine.compile(accumulateStep(parts), { donate: [0, 3, 4], constant: [2] }) as Add
  const apply = engine.compile(applyStep(parts), { donate: [0, 1, 2] }) as Apply
  return {
    run(state, frozen, [first, ...others], { seed, ...hyper }) {
      if (others.length === 0)
        return whole(state, frozen, engine.put(first!), engine.put({ ...hyper, seed: seedArray(seed) }))
      const sums = [first!, ...others].reduce(
        (sum, part, i) =>
          accumulate(sum, state.trainable, frozen, engine.put(part), engine.put(seedArray(fold(seed, 'part', i)))),
        begin(state.trainable),
      )
      return apply(state, sums, engine.put(hyper))
    },
    dispose() {
      for (const program of [whole, begin, accumulate, apply]) program.dispose()
    },
  }
}
