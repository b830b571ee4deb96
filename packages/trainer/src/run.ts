import { resolve } from 'node:path'
import {
  AttuneError,
  type RunEvent,
  type RunFacts,
  type Scope,
  type Tracker,
  closeScope,
  isAttuneError,
} from '@attune/core'
import { count } from '@attune/data'
import { Observable, Subject, Subscription } from 'rxjs'
import { encodeAll } from './batches.js'
import { type Bus, type Happening, createBus } from './bus.js'
import { type Checkpoint, checkpointPath, listCheckpoints, loadCheckpoint } from './checkpoint.js'
import { compose, learn, partsOf, startEngine } from './compose.js'
import { finalTrainable, obey } from './obey.js'
import { type Plan, type RunOptions, planRun } from './plan.js'
import type { RunConfig } from './run-config.js'
import { type Learned, readRunFolder, takeFolder, writeRunFolder } from './run-folder.js'
import { saveModel } from './save-model.js'
import { type Session, openSession } from './session.js'
import { type Split, countExamples, openSplits } from './splits.js'
import { type NamedVectors, readVectors } from './static-vectors.js'
import { train } from './train.js'

/** A run that was asked for, before anything is computed. */
interface Order {
  readonly plan: Plan
  /** What an earlier part of the run learned; nothing when the run is new. */
  readonly learned?: Learned
  readonly checkpoint?: Checkpoint
}

interface Control {
  interrupted: string | undefined
  /** Set once the run is under way, so that an interruption reaches it. */
  session: Session | undefined
}

/** Reads the validation split once before training: a label that training lacks shows now, not after the first epoch. */
async function inspectValidation(scope: Scope, bus: Bus, split: Split): Promise<void> {
  const { objective } = partsOf(scope)
  const { items, truncated } = encodeAll(split.examples(), (example) => objective.encode(example))
  if ((await count(items)) === 0)
    throw new AttuneError(
      'EMPTY_DATASET',
      `${split.location} holds no examples`,
      'Check the path and the format of the file.',
    )
  if (truncated() > 0)
    bus.emit({ type: 'texts.truncated', split: split.name, count: truncated(), maximumLength: objective.maximumLength })
}

function reportRejected(bus: Bus, split: Split): void {
  const { count, path } = split.rejected()
  if (count > 0) bus.emit({ type: 'rows.rejected', split: split.name, count, path })
}

/**
 * Lets trackers that need nothing hear of a run from its very beginning: of what is learned before there is a model.
 * @returns the plan without them
 */
function trackEarly(
  plan: Plan,
  events: Observable<RunEvent>,
): { readonly rest: Plan; readonly tracking: Subscription } {
  const tracking = new Subscription()
  const later = plan.config.tracker.filter(({ plugin, options }) => {
    if (plugin.needs !== undefined) return true
    tracking.add((plugin(options) as Tracker)(events))
    return false
  })
  return { rest: { ...plan, config: { ...plan.config, tracker: later } }, tracking }
}

/** Learns from the data, composes the parts, starts the engine, and puts the state in place. */
async function begin(order: Order, options: RunOptions, observe: (event: RunEvent) => void): Promise<Session> {
  const { plan } = order
  const vectors = await readVectors(plan)
  const splits = await openSplits(plan)
  const events = new Subject<RunEvent>()
  events.subscribe(observe)
  const { rest, tracking } = trackEarly(plan, events)
  try {
    const emit = (happening: Happening): void => events.next({ ...happening, at: Date.now() } as RunEvent)
    const learned = order.learned ?? {
      examples: await countExamples(splits.train),
      options: await learn(plan, splits.train.examples, emit),
    }
    const scope = compose(rest, learned.options, { parent: options.scope, events })
    return await startSession(order, options, { plan, learned, scope, splits, vectors }, events)
  } catch (error) {
    events.complete()
    tracking.unsubscribe()
    throw error
  }
}

/** Starts the engine, and puts the state in place. */
async function startSession(
  order: Order,
  options: RunOptions,
  given: Pick<Session, 'plan' | 'learned' | 'scope' | 'splits'> & { readonly vectors: NamedVectors | undefined },
  events: Subject<RunEvent>,
): Promise<Session> {
  const { plan, learned, scope, splits } = given
  const parts = partsOf(scope)
  const bus = createBus(parts.callbacks, parts.trackers, events)
  try {
    await startEngine(scope)
    const { session, facts, warnings, placed } = openSession(
      { plan, learned, scope, splits, bus },
      { checkpoint: order.checkpoint, vectors: given.vectors },
    )
    announce(session, facts, order)
    const failure = bus.failure()
    if (failure !== undefined) throw failure
    if (order.checkpoint === undefined) {
      if (placed !== undefined) bus.emit({ type: 'vectors.loaded', ...placed })
      await inspectValidation(scope, bus, splits.validation)
      for (const split of [splits.train, splits.validation]) reportRejected(bus, split)
      for (const message of warnings) bus.emit({ type: 'run.warned', step: 0, message })
    }
    // Only now: a run that is refused leaves nothing that stands in the way of the next.
    if (order.learned === undefined && plan.directory !== undefined) await writeRunFolder(plan, learned, options)
    return session
  } catch (error) {
    fail(bus, 0, error)
    bus.close()
    await closeScope(scope)
    throw error
  }
}

function announce(
  session: Session,
  counts: { parameters: number; trainableParameters: number },
  { checkpoint }: Order,
): void {
  const { plan, learned, steps, parts, bus } = session
  const facts: RunFacts = {
    seed: plan.config.seed,
    steps,
    epochs: plan.config.training.epochs,
    examples: learned.examples,
    engine: [parts.engine.device, plan.engineBecause].filter((part) => part !== undefined).join(': '),
    scores: { loss: 'minimize', ...Object.fromEntries(parts.metrics.map(({ name, direction }) => [name, direction])) },
    ...counts,
    ...(plan.directory === undefined ? {} : { directory: plan.directory }),
  }
  if (checkpoint === undefined) return bus.emit({ type: 'run.started', ...facts })
  const { step, because } = checkpoint.progress
  const path = checkpointPath(plan.directory as string, step)
  bus.replay(checkpoint.history)
  bus.replay([{ type: 'checkpoint.saved', step, path, bytes: 0, because, at: Date.now() }])
  bus.emit({ type: 'run.resumed', ...facts, step, checkpoint: path })
}

function fail(bus: Bus, step: number, error: unknown): void {
  const known = isAttuneError(error)
    ? { code: error.code, problem: error.problem, remedy: error.remedy }
    : { code: 'UNEXPECTED', problem: String(error), remedy: 'This should not happen: please report it.' }
  bus.emit({ type: 'run.failed', step, ...known })
}

/** Saves the model when training has ended, and tells that the run is over. */
async function finish(session: Session, begun: number): Promise<void> {
  const { bus, moving, plan, adapted, parts } = session
  const { step, ended } = moving.progress
  const seconds = (performance.now() - begun) / 1000
  if (ended === undefined) {
    bus.emit({ type: 'run.completed', step, seconds, because: moving.interrupted ?? 'interrupted' })
    return
  }
  bus.emit({ type: 'training.completed', step, because: ended })
  await obeyAfterTraining(session)
  if (plan.directory === undefined) return bus.emit({ type: 'run.completed', step, seconds, because: ended })
  const merge = parts.engine.compile(adapted.merge)
  const params = merge(await finalTrainable(session), adapted.frozen)
  merge.dispose()
  const model = await saveModel(plan, parts, params, moving.lastScores)
  bus.emit({ type: 'run.completed', step, seconds, because: ended, model })
}

/** Commands after the last step may only choose among checkpoints: saving once more would save the same. */
async function obeyAfterTraining(session: Session): Promise<void> {
  const { bus, moving } = session
  const last = bus.commands.splice(0).filter(({ type }) => type === 'restore')
  bus.commands.push(...last)
  const { ended, ...progress } = moving.progress
  moving.progress = progress
  await obey(session)
  moving.progress = { ...moving.progress, ended: ended as string }
}

async function execute(
  order: Order,
  options: RunOptions,
  control: Control,
  observe: (event: RunEvent) => void,
): Promise<void> {
  const begun = performance.now()
  const session = await begin(order, options, observe)
  control.session = session
  session.moving.interrupted = control.interrupted
  try {
    await train(session)
    await finish(session, begun)
  } catch (error) {
    fail(session.bus, session.moving.progress.step, error)
    throw error
  } finally {
    session.bus.close()
    session.step.dispose()
    session.inference.dispose()
    await closeScope(session.scope)
  }
}

/** A cold stream of the events of a run. */
const observe = (prepare: () => Promise<Order>, options: RunOptions): Observable<RunEvent> =>
  new Observable((subscriber) => {
    const control: Control = { interrupted: undefined, session: undefined }
    const interrupt = (because: string): void => {
      control.interrupted ??= because
      if (control.session !== undefined) control.session.moving.interrupted ??= because
    }
    const outside: Subscription | undefined = options.commands?.subscribe((command) => {
      if (command.type === 'stop') interrupt(command.because)
      else control.session?.bus.commands.push(command)
    })
    prepare()
      .then((order) => execute(order, options, control, (event) => subscriber.next(event)))
      .then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
      .finally(() => outside?.unsubscribe())
    return () => interrupt('unsubscribed')
  })

/**
 * A run, as a cold stream of its events: subscribing starts it. It completes after `run.completed`; a failure is the
 * event `run.failed`, then the stream's error. Unsubscribing, or a `stop` among `options.commands`, lets the step in
 * flight finish and leaves a checkpoint from which {@link resume} goes on with the same bits.
 */
export const run = (config: RunConfig, options: RunOptions = {}): Observable<RunEvent> =>
  observe(async () => {
    const plan = await planRun(config, options)
    if (plan.directory !== undefined) takeFolder(plan.directory)
    return { plan }
  }, options)

/** Goes on with the run in a folder, from its latest checkpoint, or from the start if there is none yet. */
export const resume = (directory: string, options: RunOptions = {}): Observable<RunEvent> =>
  observe(async () => {
    const folder = resolve(options.baseDirectory ?? '.', directory)
    const { plan, learned } = await readRunFolder(folder, options)
    const [latest] = await listCheckpoints(folder)
    return latest === undefined
      ? { plan, learned }
      : { plan, learned, checkpoint: await loadCheckpoint(folder, latest) }
  }, options)
