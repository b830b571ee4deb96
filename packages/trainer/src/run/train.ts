import { AttuneError, type Encoded, deriveKey, key } from '@attune/core'
import { type EpochOptions, type ReadyBatch, encodeRows, epochBatches } from '../step/batches.js'
import { checkpointPath, listCheckpoints } from '../files/checkpoint.js'
import { nextTurn } from '../step/next-turn.js'
import type { HostInputs } from '../step/compiled-step.js'
import { evaluate, obey } from './obey.js'
import { microBatchSizeOf } from '../plan/run-config.js'
import { requireSameFiles } from '../files/run-inputs.js'
import { scheduledValue } from '../setup/scheduled.js'
import { passOver } from '../setup/pass-over.js'
import type { Session } from '../setup/session.js'

/** Inputs that vary from step to step: learning rate, step, random seed, and scheduled options. */
function inputsOf({ plan, parts, steps, moving, schedule }: Session, step: number): HostInputs {
  const { config } = plan
  const at = Math.min(step, steps) // a learner may train beyond the last step of the schedule
  const factor = scheduledValue(parts.scheduler, config.scheduler.common ?? {}, at, steps)
  return {
    learningRate: config.training.learningRate * factor * moving.progress.learningRateScale,
    step,
    steps,
    seed: deriveKey(key(config.seed), 'step', step),
    scheduled: schedule(at, steps),
  }
}

async function refuseNonFinite({ plan }: Session, step: number, loss: number, norm: number): Promise<void> {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return
  const what = Number.isFinite(loss) ? `the gradient norm became ${norm}` : `the loss became ${loss}`
  const { directory, config } = plan
  const [latest] = directory === undefined ? [] : await listCheckpoints(directory)
  const kept =
    latest === undefined
      ? 'There is no earlier checkpoint'
      : `The last good checkpoint is ${checkpointPath(directory as string, latest)}`
  throw new AttuneError(
    'NON_FINITE_LOSS',
    `${what} at step ${step}; training stopped without saving this step`,
    `Lower training.learningRate (now ${config.training.learningRate}) or lengthen the warmup. ${kept}.`,
  )
}

/**
 * Takes one step on a batch and advances the state.
 * @throws AttuneError `NON_FINITE_LOSS`
 */
export async function advance(session: Session, { parts: batch }: ReadyBatch, epoch: number) {
  const { parts, moving, adapted, constants } = session
  const step = moving.progress.step + 1
  const inputs = inputsOf(session, step)
  const kept = { frozen: adapted.frozen, constants, memory: moving.memory }
  const { state, loss, gradientNorm } = session.step.run(moving.state, kept, batch, inputs)
  moving.state = state
  const read = await parts.engine.read({ loss, gradientNorm })
  await nextTurn() // yields even if the read is immediate; otherwise signals and timers would wait for the end of the epoch
  parts.engine.release({ loss, gradientNorm })
  const [mean, norm] = [read.loss.values[0] as number, read.gradientNorm.values[0] as number]
  await refuseNonFinite(session, step, mean, norm)
  moving.progress = { ...moving.progress, step, epoch, batches: moving.progress.batches + 1 }
  return { step, loss: mean, gradientNorm: norm, learningRate: inputs.learningRate }
}

/** Takes one step and reports it. `elapsed` accumulates the time in milliseconds and the number of steps. */
export async function takeStep(
  session: Session,
  batch: ReadyBatch,
  epoch: number,
  elapsed: { milliseconds: number; steps: number },
): Promise<void> {
  const { bus, steps } = session
  const begun = performance.now()
  const { step, ...taken } = await advance(session, batch, epoch)
  const milliseconds = performance.now() - begun
  elapsed.milliseconds += milliseconds
  elapsed.steps++
  const { examples, tokens } = batch
  bus.emit({
    type: 'step.completed',
    step,
    steps,
    epoch,
    ...taken,
    examples,
    tokens,
    tokensPerSecond: (tokens / milliseconds) * 1000,
    secondsLeft: ((elapsed.milliseconds / elapsed.steps) * (steps - step)) / 1000,
  })
}

const isOver = ({ moving }: Session): boolean => moving.interrupted !== undefined || moving.progress.ended !== undefined

/** Throws the error for an epoch whose number of batches differs from the count at the start of the run. */
function refuseOtherCount({ stepsPerEpoch, splits }: Session, epoch: number, batches: string): never {
  throw new AttuneError(
    'RUN_CHANGED',
    `${splits.train.location}: expected ${stepsPerEpoch} batches per epoch as counted at the start of the run, got ${batches} in epoch ${epoch + 1}`,
    'Do not change the data during a run. Restore them and resume, or start another run.',
  )
}

/** The objective's rollout on the host before a batch is trained on, if it has one. */
export function rolloutOf({ parts, moving, adapted, generator }: Session) {
  const { objective } = parts
  if (objective.rollout === undefined) return undefined
  return (items: readonly Encoded[], random: () => number): Promise<readonly Encoded[]> =>
    objective.rollout!(items, {
      params: { ...adapted.frozen, ...moving.state.trainable },
      step: moving.progress.step + 1,
      random,
      encode: (example) => objective.encode(example) as Encoded,
      generate: generator.generate,
    })
}

/** Runs the objective's `beforeEpoch`: a pass over the training examples that computes inputs of the epoch's steps. */
export async function beforeEpoch(session: Session, epoch: number): Promise<void> {
  const { parts, moving, adapted } = session
  if (parts.objective.beforeEpoch === undefined) return
  const pass = passOver(session, { ...parts, model: adapted.model }, moving.state.trainable, adapted.frozen)
  const before = moving.memory
  moving.memory = await parts.objective.beforeEpoch(pass, epoch, before)
  if (before !== undefined && before !== moving.memory) parts.engine.release(before)
}

/** Batch settings of an epoch, starting at the first batch not yet done. */
const orderOf = (session: Session, epoch: number): EpochOptions => {
  const { plan, moving, splits } = session
  const { batchSize, shuffleBuffer } = plan.config.training
  return {
    key: deriveKey(key(plan.config.seed), 'epoch', epoch),
    sampled: splits.train.sampled,
    done: moving.progress.batches,
    batchSize,
    microBatchSize: microBatchSizeOf(plan.config.training),
    shuffleBuffer,
    rollout: rolloutOf(session),
  }
}

/** Trains on the rest of one epoch. */
async function trainEpoch(
  session: Session,
  epoch: number,
  elapsed: { milliseconds: number; steps: number },
): Promise<void> {
  const { plan, parts, bus, moving, stepsPerEpoch, splits } = session
  const { evaluateEvery } = plan.config.training
  if (moving.progress.batches === 0) {
    bus.emit({ type: 'epoch.started', epoch, step: moving.progress.step })
    await beforeEpoch(session, epoch)
  }
  const { items, truncated } = encodeRows(splits.train.rows(epoch), (example) => parts.objective.encode(example))
  const order = orderOf(session, epoch)
  if (session.keeping !== undefined) await requireSameFiles(session.keeping.inputs)
  for await (const ready of epochBatches(items, parts.objective, order)) {
    if (moving.progress.batches >= stepsPerEpoch) refuseOtherCount(session, epoch, 'more batches')
    await takeStep(session, ready, epoch, elapsed)
    if (epoch === 0 && moving.progress.batches === stepsPerEpoch && truncated() > 0)
      bus.emit({
        type: 'texts.truncated',
        split: 'train',
        count: truncated(),
        maximumLength: parts.objective.maximumLength,
      })
    const { step, batches } = moving.progress
    const isDue = evaluateEvery === 'epoch' ? batches === stepsPerEpoch : step % evaluateEvery === 0
    if (isDue) await evaluate(session)
    if (moving.progress.step === session.steps && moving.progress.ended === undefined)
      moving.progress = { ...moving.progress, ended: 'finished' }
    await obey(session)
    if (isOver(session)) return
  }
  const { batches } = moving.progress
  if (batches < stepsPerEpoch) refuseOtherCount(session, epoch, `${batches} batches`)
}

/** Trains until the last step, a `stop` command, or an interruption. */
export async function train(session: Session): Promise<void> {
  const { plan, moving } = session
  const elapsed = { milliseconds: 0, steps: 0 }
  for (let epoch = moving.progress.epoch; epoch < plan.config.training.epochs && !isOver(session); epoch++) {
    await trainEpoch(session, epoch, elapsed)
    if (!isOver(session)) moving.progress = { ...moving.progress, epoch: epoch + 1, batches: 0 }
  }
  if (!isOver(session)) moving.progress = { ...moving.progress, ended: 'finished' } // resumed without remaining steps
}
