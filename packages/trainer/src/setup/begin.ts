import {
  type Engine,
  type RunEvent,
  type RunFacts,
  type Scope,
  type Tracker,
  type UntimedEvent,
  AttuneError,
  isAttuneError,
} from '@attune/core'
import { count } from '@attune/data'
import type { Lock } from '@attune/files'
import { type Observable, Subject, Subscription } from 'rxjs'
import { encodeAll } from '../step/batches.js'
import { type Bus, createBus } from '../run/bus.js'
import { handlersOf } from '../run/commands.js'
import { type Checkpoint, checkpointPath } from '../files/checkpoint.js'
import { type Components, componentsOf } from './compose.js'
import type { RunOptions } from '../plan/lookup.js'
import type { Plan } from '../plan/plan.js'
import { programsOf, writeRunFolder } from '../files/run-folder.js'
import { type InputRecord, readInputs } from '../files/run-inputs.js'
import { refuseChanges } from '../files/refuse-changes.js'
import { NO_HISTORY, openLog, replayHistory, verifyHistory } from '../files/run-log.js'
import { type Connection, type PreviousState, type Opened, closeSession, open } from './open.js'
import type { RunFolder, Session } from './session.js'
import type { Split } from './splits.js'
import { allow } from '../files/trust.js'

/** A requested run, before it starts. */
export interface RunRequest {
  readonly plan: Plan
  /** The run's id and the lock of its folder; undefined for a run that is not saved. */
  readonly kept: { readonly id: string; readonly lock: Lock } | undefined
  /** State left by an earlier part of the run; undefined for a new run. */
  readonly previous: PreviousState | undefined
}

/** Emits `run.failed`, unless the log can no longer be written. */
export function fail(bus: Bus, step: number, error: unknown): void {
  const known = isAttuneError(error)
    ? { code: error.code, problem: error.problem, remedy: error.remedy }
    : { code: 'UNEXPECTED', problem: String(error), remedy: 'This should not happen: please report it.' }
  try {
    bus.emit({ type: 'run.failed', step, ...known })
  } catch {
    return // the first error is the one to report
  }
}

/** Reads the validation split once before training, so that an unknown label is reported now rather than after the first epoch. */
async function inspectValidation(scope: Scope, bus: Bus, split: Split): Promise<void> {
  const { objective } = componentsOf(scope)
  const { items, truncated } = encodeAll(split.examples(), (example) => objective.encode(example))
  if ((await count(items)) === 0)
    throw new AttuneError(
      'EMPTY_DATASET',
      `${split.location} contains no examples`,
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
 * Starts trackers without dependencies early, so that they receive events from before the model exists, such as fitting progress.
 * @returns the plan without these trackers
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

/** Opens the run's log after verifying the history of the checkpoint to resume from. */
async function openRunFolder(
  { plan, kept, previous }: RunRequest,
  inputs: readonly InputRecord[],
  early: readonly RunEvent[],
): Promise<RunFolder | undefined> {
  const { directory } = plan
  if (kept === undefined || directory === undefined) return undefined
  const history = previous?.checkpoint?.history ?? NO_HISTORY
  const hash = await verifyHistory(directory, history)
  const log = openLog(directory, { history, hash })
  early.forEach(log.note)
  return { ...kept, log, inputs }
}

/**
 * Compares the device used so far with the current one: other devices and thread counts round differently. Returns an accepted difference.
 * @throws AttuneError `RUN_CHANGED` unless differences are accepted
 */
function deviceChanges({ plan, previous }: RunRequest, { device }: Engine): string[] {
  if (previous === undefined || previous.device === device) return []
  const change = `engine: ${previous.device} → ${device}`
  if (previous.accepts) return [change]
  throw refuseChanges(plan.directory ?? '', [change])
}

/** Writes the run's record, and stores that the user allowed the plugins that the configuration names by path. */
async function writeRecords({ plan, learned, runFolder, bus, components }: Session): Promise<void> {
  if (runFolder === undefined) return
  await writeRunFolder(plan, learned, { ...runFolder, device: components.engine.device })
  await allow(runFolder.id, programsOf(plan)).catch((error: unknown) => {
    const message = `resuming this run will require --trust, because your permission cannot be stored: ${(error as Error).message}`
    bus.emit({ type: 'run.warned', step: 0, message })
  })
}

async function emitStart(
  { plan, learned, steps, components, bus, runFolder }: Session,
  counts: { readonly parameters: number; readonly trainableParameters: number },
  checkpoint: Checkpoint | undefined,
  accepted: readonly string[],
): Promise<void> {
  const { directory } = plan
  const facts: RunFacts = {
    seed: plan.config.seed,
    steps,
    epochs: plan.config.training.epochs,
    examples: learned.examples,
    engine: [components.engine.device, plan.engineBecause].filter((part) => part !== undefined).join(': '),
    scores: {
      loss: 'minimize',
      ...Object.fromEntries(components.metrics.map(({ name, direction }) => [name, direction])),
    },
    ...counts,
    ...(directory === undefined ? {} : { directory }),
    ...(runFolder === undefined ? {} : { log: runFolder.log.path }),
    ...(accepted.length === 0 ? {} : { accepted }),
  }
  if (checkpoint === undefined || directory === undefined) return bus.emit({ type: 'run.started', ...facts })
  const { step, because } = checkpoint.progress
  const path = checkpointPath(directory, step)
  await replayHistory(directory, checkpoint.history, bus.replay)
  bus.replay({ type: 'checkpoint.saved', step, path, bytes: 0, because, at: Date.now() })
  bus.emit({ type: 'run.resumed', ...facts, step, checkpoint: path })
}

/** Reports the start of the run and writes its record. */
async function startSession(request: RunRequest, { session, ...opened }: Opened): Promise<void> {
  const { scope, splits, bus, components, runState } = session
  const { checkpoint } = request.previous ?? {}
  const accepted = [...(request.previous?.accepted ?? []), ...deviceChanges(request, components.engine)]
  await emitStart(session, opened.facts, checkpoint, accepted)
  for (const message of request.previous?.warnings ?? [])
    bus.emit({ type: 'run.warned', step: runState.progress.step, message })
  const failure = bus.failure()
  if (failure !== undefined) throw failure
  if (checkpoint === undefined) {
    if (opened.vectorsLoaded !== undefined) bus.emit({ type: 'vectors.loaded', ...opened.vectorsLoaded })
    await inspectValidation(scope, bus, splits.validation)
    for (const split of [splits.train, splits.validation]) reportRejected(bus, split)
    for (const message of opened.warnings) bus.emit({ type: 'run.warned', step: 0, message })
  }
  // Written last, so that a rejected run leaves nothing that blocks the next one.
  if (request.previous === undefined || accepted.length > 0) await writeRecords(session)
}

/** Opens the session of a run, connects it to callbacks, trackers and log, and reports its start. */
export async function beginRun(
  request: RunRequest,
  options: RunOptions,
  observe: (event: RunEvent) => void,
): Promise<Session> {
  const { plan, previous, kept } = request
  const inputs = previous?.inputs ?? (kept === undefined ? [] : await readInputs(plan))
  const events = new Subject<RunEvent>()
  events.subscribe(observe)
  const { rest, tracking } = trackEarly(plan, events)
  const early: RunEvent[] = []
  const emit = (untimed: UntimedEvent): void => {
    const event = { ...untimed, at: Date.now() } as RunEvent
    early.push(event)
    events.next(event)
  }
  let connection: Connection | undefined
  const connect = async ({ callbacks, trackers }: Components): Promise<Connection> => {
    handlersOf(callbacks) // throws before the log is opened
    const runFolder = await openRunFolder(request, inputs, early)
    connection = { runFolder, bus: createBus({ callbacks, trackers, shown: events, log: runFolder?.log }) }
    return connection
  }
  let opened: Opened | undefined
  try {
    const { scope: parent, dataFolder } = options
    opened = await open({ plan, composed: rest, parent, dataFolder, previous, events, emit, connect })
    await startSession(request, opened)
    return opened.session
  } catch (error) {
    if (connection !== undefined) fail(connection.bus, 0, error)
    connection?.bus.close()
    connection?.runFolder?.log.close()
    events.complete()
    tracking.unsubscribe()
    if (opened !== undefined) await closeSession(opened.session)
    throw error
  }
}
