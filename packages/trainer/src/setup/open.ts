import { type RunEvent, type Scope, type UntimedEvent, closeScope } from '@attune/core'
import type { Observable } from 'rxjs'
import type { Bus } from '../run/bus.js'
import type { Checkpoint } from '../files/checkpoint.js'
import type { Learned } from '../files/run-folder.js'
import type { InputRecord } from '../files/run-inputs.js'
import type { Plan } from '../plan/plan.js'
import { type Components, compose, fitPlugins, componentsOf, startEngine, withFittedOptions } from './compose.js'
import { type RunFolder, type Session, openSession } from './session.js'
import { openSplits } from '../data/open-splits.js'
import { openStore } from '../data/store.js'
import { rowReader, inspectSplit } from '../data/inspect-split.js'
import { locatingErrors } from '../data/locating-errors.js'
import { withSavedLabels } from './learned-labels.js'
import { countExamples } from './splits.js'
import { readVectors } from './static-vectors.js'

/** State left by an earlier part of a run. */
export interface PreviousState {
  readonly learned: Learned
  readonly inputs: readonly InputRecord[]
  /** The latest checkpoint; undefined if there is none yet. */
  readonly checkpoint: Checkpoint | undefined
  /** Device used so far, as described by the engine. */
  readonly device: string
  /** True to accept differences. */
  readonly accepts: boolean
  /** Accepted differences. */
  readonly accepted: readonly string[]
  /** Differences that are reported as warnings only. */
  readonly warnings: readonly string[]
}

/** Destination of a session's events. */
export interface Connection {
  readonly bus: Bus
  /** Undefined for a session that is not saved. */
  readonly runFolder: RunFolder | undefined
}

/** Inputs for opening a session. */
export interface Opening {
  readonly plan: Plan
  /** The plan whose components are created. Default: `plan`. */
  readonly composed?: Plan
  /** The application's scope. */
  readonly parent?: Scope | undefined
  readonly previous?: PreviousState | undefined
  /** Training and validation splits. Default: those of the plan. */
  readonly splits?: Session['splits']
  /** Folder of prepared data. Default: the user's cache. */
  readonly dataFolder?: string | undefined
  /** Event stream, for components that need it. */
  readonly events: Observable<RunEvent>
  /** Receives the fitting progress of plugins. Default: none. */
  readonly emit?: (event: UntimedEvent) => void
  /** Connects the components to events, before the engine starts. */
  connect(components: Components): Connection | Promise<Connection>
}

/** An opened session with its initial facts. */
export type Opened = Awaited<ReturnType<typeof openSession>>

/** Fits the plugins, or reuses an earlier fit, and counts the training examples. */
async function fitPluginsOnce(
  { plan, previous, emit }: Omit<Opening, 'connect'>,
  { train }: Session['splits'],
): Promise<Learned> {
  const isCounted = previous !== undefined && previous.accepted.length === 0
  const fit = () => locatingErrors(train, (examples) => fitPlugins(plan, examples, emit))
  return {
    examples: isCounted ? previous.learned.examples : await countExamples(train),
    options: previous?.learned.options ?? withSavedLabels(plan, await fit()),
  }
}

/**
 * Reads the splits of a run once, before its model is loaded and the engine starts. Emits warnings.
 * @throws AttuneError for a row that the objective cannot use, with its location
 */
async function inspectSplits(
  { plan, emit }: Opening,
  { train, validation }: Session['splits'],
  learned: Learned,
  scope: Scope,
): Promise<void> {
  const { objective } = withFittedOptions(plan, learned.options).config
  const read = rowReader(componentsOf(scope).objective, objective)
  for (const split of [train, validation])
    for (const message of await inspectSplit(split, objective, read)) emit?.({ type: 'run.warned', step: 0, message })
}

/**
 * Opens the data, fits plugins and creates the components, whose scope the caller closes. Loads no weights and starts no engine.
 */
export async function openComponents(
  opening: Omit<Opening, 'connect'>,
): Promise<Pick<Session, 'splits' | 'learned' | 'scope'>> {
  const { plan, composed = plan, parent, events, emit, dataFolder } = opening
  const kept = { ...(emit === undefined ? {} : { emit }), store: openStore(dataFolder) }
  const splits = opening.splits ?? (await openSplits(plan, kept))
  const learned = await fitPluginsOnce(opening, splits)
  return { splits, learned, scope: compose(composed, learned.options, { parent, events }) }
}

/**
 * Opens a session for a run, an estimate or a learner: opens the data, fits plugins, creates the components, starts the engine and
 * initializes the state. Closes everything on failure.
 */
export async function open(opening: Opening): Promise<Opened> {
  const { plan, previous } = opening
  const vectors = await readVectors(plan)
  const { splits, learned, scope } = await openComponents(opening)
  // A resumed run has read its data before; the examples of a learner need not be labelled.
  const isRead = opening.splits !== undefined || (previous?.checkpoint !== undefined && previous.accepted.length === 0)
  try {
    if (!isRead) await inspectSplits(opening, splits, learned, scope)
    const connection = await opening.connect(componentsOf(scope))
    await startEngine(scope)
    return await openSession(
      { plan, learned, scope, splits, ...connection },
      { checkpoint: previous?.checkpoint, vectors },
    )
  } catch (error) {
    await closeScope(scope)
    throw error
  }
}

/** Frees a session. */
export async function closeSession({ step, inference, generator, cache, scope }: Session): Promise<void> {
  step.dispose()
  cache?.close()
  inference.dispose()
  generator.close()
  await closeScope(scope)
}
