import {
  AttuneError,
  type DataPass,
  type Encoded,
  type Example,
  type Params,
  type Tree,
  type Views,
  deriveKey,
  key,
} from '@attune/core'
import { prepareCache } from './prepare-cache.js'
import { inputsOf, scheduleStep } from './step-inputs.js'
import { type EpochOptions, type ReadyBatch, encodeRows, epochBatches } from '../step/batches.js'
import { checkpointPath, listCheckpoints } from '../files/checkpoint.js'
import { yieldToEventLoop } from '../step/yield-to-event-loop.js'
import { evaluate, executeCommands } from './execute-commands.js'
import { microBatchSizeOf } from '../plan/run-config.js'
import { requireSameFiles } from '../files/run-inputs.js'
import { updatesOf } from '../setup/count-steps.js'
import { regularizerFields } from '../setup/required-fields.js'
import { trainingPass } from '../setup/pass-over.js'
import type { Session } from '../setup/session.js'

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
export async function advance(session: Session, { parts }: ReadyBatch, epoch: number) {
  const { components, runState, adapted, constants, cache } = session
  const batch = cache === undefined ? parts : await Promise.all(parts.map((part) => cache.complete(part)))
  const step = runState.progress.step + 1
  const inputs = inputsOf(session, step)
  const kept = { frozen: adapted.frozen, constants, memory: runState.memory }
  const { state, loss, gradientNorm } = session.step.run(runState.state, kept, batch, inputs)
  runState.state = state
  const read = await components.engine.read({ loss, gradientNorm })
  await yieldToEventLoop() // yields even if the read is immediate; otherwise signals and timers would wait for the end of the epoch
  components.engine.release({ loss, gradientNorm })
  const [mean, norm] = [read.loss.values[0] as number, read.gradientNorm.values[0] as number]
  await refuseNonFinite(session, step, mean, norm)
  const batches = runState.progress.batches + 1
  const { rollout, ...progress } = runState.progress
  const isKept = rollout !== undefined && batches % updatesOf(session.components.objective) !== 0
  runState.progress = { ...progress, step, epoch, batches, ...(isKept ? { rollout } : {}) }
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

const isOver = ({ runState }: Session): boolean =>
  runState.interrupted !== undefined || runState.progress.ended !== undefined

/** Throws the error for an epoch whose number of batches differs from the count at the start of the run. */
function refuseOtherCount({ stepsPerEpoch, splits }: Session, epoch: number, batches: string): never {
  throw new AttuneError(
    'RUN_CHANGED',
    `${splits.train.location}: expected ${stepsPerEpoch} batches per epoch as counted at the start of the run, got ${batches} in epoch ${epoch + 1}`,
    'Do not change the data during a run. Restore them and resume, or start another run.',
  )
}

/** The objective's rollout on the host before a batch is trained on, if it has one. */
export function rolloutOf({ components, runState, adapted, generator, inference, bus }: Session) {
  const { objective } = components
  if (objective.rollout === undefined) return undefined
  return (items: readonly Encoded[], random: () => number): Promise<readonly Encoded[]> => {
    const params = { ...adapted.frozen, ...runState.state.trainable }
    return objective.rollout!(items, {
      params,
      random,
      generate: generator.generate,
      sample: generator.sample,
      async predict(given) {
        const views: Views[] = []
        for (let at = 0; at < given.length; at += inference.batchSize)
          views.push(...(await inference.batch(params, given.slice(at, at + inference.batchSize))))
        return views
      },
      report: (values) => bus.emit({ type: 'rollout.completed', step: runState.progress.step + 1, values }),
    })
  }
}

/** The rollout of a batch; a checkpoint between the steps on a batch keeps its items, and a resumed run reads them. */
function keptRollout(session: Session) {
  const { runState } = session
  const [roll, updates] = [rolloutOf(session), updatesOf(session.components.objective)]
  if (roll === undefined || updates === 1) return roll
  return async (items: readonly Encoded[], random: () => number): Promise<readonly Encoded[]> => {
    const { batches, rollout: kept } = runState.progress
    if (batches % updates !== 0 && kept !== undefined) return kept as unknown as readonly Encoded[]
    const rollout = await roll(items, random)
    runState.progress = { ...runState.progress, rollout: rollout as unknown as Record<string, unknown>[] }
    return rollout
  }
}

/**
 * Replaces trained parameters by those under `params` in the result of the objective's `beforeEpoch`, and returns the rest of it.
 * @throws AttuneError `BAD_ARGUMENT` if one of them is not trained
 */
function replaceParameters({ components, runState }: Session, { params = {}, ...memory }: Record<string, Tree>): Tree {
  const { trainable } = runState.state
  const missing = Object.keys(params).find((name) => !Object.hasOwn(trainable, name))
  if (missing !== undefined)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `expected a trained parameter in the result of beforeEpoch, got ${missing}`,
      'Train the head of the objective: remove the adapter that freezes it.',
    )
  const replaced = Object.fromEntries(Object.keys(params).map((name) => [name, trainable[name]!]))
  runState.state = { ...runState.state, trainable: { ...trainable, ...(params as Params) } }
  components.engine.release(replaced)
  return memory
}

/**
 * Runs the objective's `beforeEpoch`: a pass over the training examples that computes inputs of the epoch's steps, and new values of the
 * objective's own parameters.
 */
export async function beforeEpoch(session: Session, epoch: number): Promise<void> {
  const { components, runState, adapted, bus } = session
  if (components.objective.beforeEpoch === undefined) return
  const pass: DataPass = {
    ...trainingPass(session, { ...components, model: adapted.model }, runState.state.trainable, adapted.frozen),
    warn: (message) => bus.emit({ type: 'run.warned', step: runState.progress.step, message }),
  }
  const before = runState.memory
  const made = await components.objective.beforeEpoch(pass, epoch, before)
  runState.memory = made === before ? before : replaceParameters(session, made as Record<string, Tree>)
  if (before !== undefined && before !== runState.memory) components.engine.release(before)
}

/** Scheduled options of collation by the index of a step in an epoch that starts after step `before`. */
const numbersFrom = (session: Session, before: number): EpochOptions['numbersAt'] =>
  session.collationNumbers && ((index) => session.collationNumbers!(scheduleStep(session, before + index + 1)))

/** Batch settings of an epoch, starting at the first batch not yet done. */
export const batchSettingsOf = (session: Session, epoch: number): EpochOptions => {
  const { plan, runState, splits } = session
  const { batchSize, shuffleBuffer } = plan.config.training
  return {
    key: deriveKey(key(plan.config.seed), 'epoch', epoch),
    sampled: splits.train.sampled,
    done: runState.progress.batches,
    batchSize,
    microBatchSize: microBatchSizeOf(plan.config.training),
    shuffleBuffer,
    updates: updatesOf(session.components.objective),
    rollout: keptRollout(session),
    numbersAt: numbersFrom(session, runState.progress.step - runState.progress.batches),
  }
}

/** Trains on the rest of one epoch. */
async function trainEpoch(
  session: Session,
  epoch: number,
  elapsed: { milliseconds: number; steps: number },
): Promise<void> {
  const { plan, components, bus, runState, stepsPerEpoch, splits } = session
  const { evaluateEvery } = plan.config.training
  if (runState.progress.batches === 0) {
    bus.emit({ type: 'epoch.started', epoch, step: runState.progress.step })
    await beforeEpoch(session, epoch)
  }
  const encode = (example: Example): Encoded => components.objective.encode(example)
  const { items, truncated } = encodeRows(splits.train.rows(epoch), encode, regularizerFields(plan))
  const batchSettings = batchSettingsOf(session, epoch)
  if (session.runFolder !== undefined) await requireSameFiles(session.runFolder.inputs)
  for await (const ready of epochBatches(items, components.objective, batchSettings)) {
    if (runState.progress.batches >= stepsPerEpoch) refuseOtherCount(session, epoch, 'more batches')
    await takeStep(session, ready, epoch, elapsed)
    if (epoch === 0 && runState.progress.batches === stepsPerEpoch && truncated() > 0)
      bus.emit({
        type: 'texts.truncated',
        split: 'train',
        count: truncated(),
        maximumLength: components.objective.maximumLength,
      })
    const { step, batches } = runState.progress
    const isDue = evaluateEvery === 'epoch' ? batches === stepsPerEpoch : step % evaluateEvery === 0
    if (isDue) await evaluate(session)
    if (runState.progress.step === session.steps && runState.progress.ended === undefined)
      runState.progress = { ...runState.progress, ended: 'finished' }
    await executeCommands(session)
    if (isOver(session)) return
  }
  const { batches } = runState.progress
  if (batches < stepsPerEpoch) refuseOtherCount(session, epoch, `${batches} batches`)
}

/** Trains until the last step, a `stop` command, or an interruption. */
export async function train(session: Session): Promise<void> {
  const { plan, runState } = session
  const elapsed = { milliseconds: 0, steps: 0 }
  await prepareCache(session)
  for (let epoch = runState.progress.epoch; epoch < plan.config.training.epochs && !isOver(session); epoch++) {
    await trainEpoch(session, epoch, elapsed)
    if (!isOver(session)) runState.progress = { ...runState.progress, epoch: epoch + 1, batches: 0 }
  }
  if (!isOver(session)) runState.progress = { ...runState.progress, ended: 'finished' } // resumed without remaining steps
}
