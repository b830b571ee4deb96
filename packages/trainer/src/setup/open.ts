import { type RunEvent, type Scope, type UntimedEvent, closeScope } from '@attune/core'
import type { Observable } from 'rxjs'
import type { Bus } from '../run/bus.js'
import type { Checkpoint } from '../files/checkpoint.js'
import type { Learned } from '../files/run-folder.js'
import type { InputRecord } from '../files/run-inputs.js'
import type { Plan } from '../plan/plan.js'
import { type Components, compose, learn, componentsOf, startEngine } from './compose.js'
import { type Keeping, type Session, openSession } from './session.js'
import { openSplits } from '../data/open-splits.js'
import { openStore } from '../data/store.js'
import { countExamples } from './splits.js'
import { readVectors } from './static-vectors.js'

/** What an earlier part of a run left. */
export interface Earlier {
  readonly learned: Learned
  readonly inputs: readonly InputRecord[]
  /** The latest checkpoint; undefined if there is none yet. */
  readonly checkpoint: Checkpoint | undefined
  /** The device that computed so far, in the engine's words. */
  readonly device: string
  /** True if differences are accepted. */
  readonly accepts: boolean
  /** Differences that were accepted. */
  readonly accepted: readonly string[]
  /** Differences that the run goes on with by itself. */
  readonly warnings: readonly string[]
}

/** Where the events of a session go. */
export interface Connection {
  readonly bus: Bus
  /** Undefined for a session that keeps nothing. */
  readonly keeping: Keeping | undefined
}

/** How a session is opened. */
export interface Opening {
  readonly plan: Plan
  /** The plan whose parts are composed. Default: `plan`. */
  readonly composed?: Plan
  /** The application's scope. */
  readonly parent?: Scope | undefined
  readonly earlier?: Earlier | undefined
  /** The splits to train on and to score. Default: those of the plan. */
  readonly splits?: Session['splits']
  /** The folder of prepared data. Default: the user's cache. */
  readonly dataFolder?: string | undefined
  /** The stream of events, for parts that need it. */
  readonly events: Observable<RunEvent>
  /** Receives the progress of plugins that learn from the data. Default: no one. */
  readonly emit?: (event: UntimedEvent) => void
  /** Connects the parts with events, before the engine starts. */
  connect(parts: Components): Connection | Promise<Connection>
}

/** A session, with what is known of it as it begins. */
export type Opened = Awaited<ReturnType<typeof openSession>>

/** What the plugins learned, now or in an earlier part of the run, and the number of training examples. */
async function learnedOf({ plan, earlier, emit }: Opening, { train }: Session['splits']): Promise<Learned> {
  const isCounted = earlier !== undefined && earlier.accepted.length === 0
  return {
    examples: isCounted ? earlier.learned.examples : await countExamples(train),
    options: earlier?.learned.options ?? (await learn(plan, train.examples, emit)),
  }
}

/**
 * Opens a session, for a run, an estimate or a learner: reads the data, lets plugins learn from them, composes the parts, starts the
 * engine, and puts the state in place. Nothing stays open where that fails.
 */
export async function open(opening: Opening): Promise<Opened> {
  const { plan, composed = plan, parent, events, earlier } = opening
  const vectors = await readVectors(plan)
  const { emit, dataFolder } = opening
  const kept = { ...(emit === undefined ? {} : { emit }), store: openStore(dataFolder) }
  const splits = opening.splits ?? (await openSplits(plan, kept))
  const learned = await learnedOf(opening, splits)
  const scope = compose(composed, learned.options, { parent, events })
  try {
    const connection = await opening.connect(componentsOf(scope))
    await startEngine(scope)
    return await openSession(
      { plan, learned, scope, splits, ...connection },
      { checkpoint: earlier?.checkpoint, vectors },
    )
  } catch (error) {
    await closeScope(scope)
    throw error
  }
}

/** Frees what a session holds. */
export async function closeSession({ step, inference, generator, scope }: Session): Promise<void> {
  step.dispose()
  inference.dispose()
  generator.close()
  await closeScope(scope)
}
