import { type Optimizer, type Params, isTensor, leaves } from '@attune/core'
import type { TrainingState } from '../step/training-step.js'
import type { Components } from './compose.js'

/**
 * Returns the trainable parameters for evaluation and saving: those of the state, or the optimizer's average over steps. `release` frees
 * them unless they belong to the state.
 */
export function evaluationParams(
  {
    optimizer,
    components: { engine },
  }: { readonly optimizer: Optimizer; readonly components: Pick<Components, 'engine'> },
  { trainable, optimizer: state }: TrainingState,
): { readonly trainable: Params; release(): void } {
  if (optimizer.evaluationParams === undefined) return { trainable, release: () => undefined }
  const compiled = engine.compile((from: TrainingState) => optimizer.evaluationParams!(from.optimizer, from.trainable))
  const averaged = compiled({ trainable, optimizer: state }) as Params
  compiled.dispose()
  // A compiled function returns an argument as the same tensor.
  const kept = new Set(leaves({ trainable, state }, isTensor).map(([, tensor]) => tensor))
  const made = Object.fromEntries(Object.entries(averaged).filter(([, tensor]) => !kept.has(tensor)))
  return { trainable: averaged, release: () => engine.release(made) }
}
