import type { Tree } from '@attune/core'
import { fillCache } from '../setup/open-cache.js'
import type { Session } from '../setup/session.js'
import type { TrainingState } from '../step/training-step.js'
import { inputsOf } from './step-inputs.js'

/**
 * Takes a step with a copy of the state on one batch of each group, so that a loss that needs the model itself is rejected before the
 * outputs of all examples are computed.
 * @throws AttuneError `NOT_CACHEABLE`
 */
async function tryStep(session: Session, cache: NonNullable<Session['cache']>): Promise<void> {
  const { components, runState, adapted, constants, step } = session
  const { engine } = components
  const kept = { frozen: adapted.frozen, constants, memory: runState.memory }
  for (const batch of cache.samples) {
    const copy = engine.put((await engine.read(runState.state)) as never) as unknown as TrainingState
    const result = step.run(copy, kept, [await cache.complete(batch)], inputsOf(session, runState.progress.step + 1))
    engine.release(result as Tree)
  }
}

/** Computes the outputs of a frozen model for all examples before the first step, with `training.cacheOutputs`. */
export async function prepareCache(session: Session): Promise<void> {
  const { cache } = session
  if (cache === undefined) return
  await tryStep(session, cache)
  await fillCache(session, cache)
}
