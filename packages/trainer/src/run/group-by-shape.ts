import { type Encoded, type Example, isHostArray, leaves } from '@attune/core'
import { regularizerFields } from '../setup/required-fields.js'
import type { Session } from '../setup/session.js'
import { type ReadyBatch, encodeRows, epochBatches } from '../step/batches.js'
import { type RolloutTime, timeRollouts } from './estimate-rollouts.js'
import { batchSettingsOf } from './train.js'

/** Batches of one shape: one example batch and their number. */
export interface Group {
  readonly shape: string
  readonly batch: ReadyBatch
  /** Number of values in the largest micro-batch, to which memory is proportional. */
  readonly size: number
  steps: number
}

const arraysOf = (tree: unknown) => leaves(tree, isHostArray).map(([, array]) => array)

/** Batches by shape, smallest first. */
interface Grouped {
  readonly groups: readonly Group[]
  /** Absent if the objective has no rollouts. */
  readonly rollouts?: RolloutTime
}

/** Groups the batches of the first epoch by shape; with rollouts, which take as long as in a run, only its first batches. */
export async function groupByShape(session: Session): Promise<Grouped> {
  const { plan, components, splits, stepsPerEpoch } = session
  const timed = timeRollouts(session)
  const share = timed === undefined ? 1 : timed.steps / stepsPerEpoch
  const groups = new Map<string, Group>()
  const encode = (example: Example): Encoded => components.objective.encode(example)
  const { items } = encodeRows(splits.train.rows(0), encode, regularizerFields(plan))
  const settings = { ...batchSettingsOf(session, 0), rollout: timed?.rollout }
  let left = timed?.steps ?? Infinity
  for await (const batch of epochBatches(items, components.objective, settings)) {
    const arrays = batch.parts.map(arraysOf)
    const all = arrays
      .flat()
      .map(({ shape }) => shape.join('×'))
      .join()
    const known = groups.get(all)
    if (known !== undefined) known.steps += 1 / share
    else {
      const shape = batch.parts.map(({ inputs }) => arraysOf(inputs)[0]!.shape.join(' × ')).join(' + ')
      const size = Math.max(...arrays.map((part) => part.reduce((sum, { values }) => sum + values.length, 0)))
      groups.set(all, { shape, batch, size, steps: 1 / share })
    }
    if (--left === 0) break
  }
  const sorted = [...groups.values()].sort((a, b) => a.size - b.size)
  return { groups: sorted, ...(timed === undefined ? {} : { rollouts: timed.time() }) }
}
