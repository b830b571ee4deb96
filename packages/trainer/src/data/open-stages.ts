import { type UntimedEvent, shortened } from '@attune/core'
import { count } from '@attune/data'
import { type Row, type Rows, memoryRows, pickedRows } from './rows.js'
import type { Stage } from './stages.js'
import { type StageFacts, type Store, stageEvent } from './store.js'

/** Inputs for opening stages. */
export interface Opening {
  readonly store: Store
  readonly emit: (event: UntimedEvent) => void
  /** Rows before the first stage. */
  readonly start: Rows
  /** Number of rows that the source has rejected so far. */
  readonly rejected: () => number
}

/** A stage that is open for reading. */
interface Opened {
  readonly rows: Rows
  readonly facts: StageFacts
  readonly path?: string
}

/** Maximum number of filter reasons counted separately; further reasons are counted together. */
const MAXIMUM_REASONS = 100

/** Counts the examples entering and leaving a stage. */
function counter(rejected: () => number, known: number) {
  const begun = performance.now()
  const because = new Map<string, number>()
  let [examplesIn, examplesOut] = [known, 0]
  const counted = async function* (rows: AsyncIterable<Row>, count: () => void): AsyncGenerator<Row, void> {
    for await (const row of rows) {
      count()
      yield row
    }
  }
  return {
    into: (rows: AsyncIterable<Row>) => counted(rows, () => examplesIn++),
    outOf: (rows: AsyncIterable<Row>) => counted(rows, () => examplesOut++),
    leftOut(reason: string): void {
      const short = shortened(reason, 200)
      const name = because.has(short) || because.size < MAXIMUM_REASONS ? short : 'other reasons'
      because.set(name, (because.get(name) ?? 0) + 1)
    },
    facts: (): StageFacts => ({
      examplesIn,
      examplesOut,
      ...(because.size === 0 ? {} : { because: Object.fromEntries(because) }),
      rejected: rejected(),
      seconds: (performance.now() - begun) / 1000,
    }),
  }
}

/**
 * Writes the rows of a stage to the store, or keeps them in memory if they cannot be stored.
 * @param known number of input examples, if they are not counted while being read
 */
async function keep(
  { id }: Stage,
  { store, rejected }: Opening,
  make: (counts: ReturnType<typeof counter>) => AsyncIterable<Row>,
  known = 0,
): Promise<Opened> {
  if (id !== undefined) {
    const counts = counter(rejected, known)
    const stored = await store.write(id, counts.outOf(make(counts)), counts.facts)
    if (stored !== undefined) return stored
  }
  const counts = counter(rejected, known)
  const rows: Row[] = []
  for await (const row of counts.outOf(make(counts))) rows.push(row)
  return { rows: memoryRows(rows), facts: counts.facts() }
}

/** Selects rows of `base` by the indices and weights that a stage stores instead of rows. */
async function chosenFrom(base: Rows, kept: Rows): Promise<Rows> {
  const indices = new Int32Array(kept.count)
  const weights = new Float64Array(kept.count)
  let [position, isWeighted] = [0, false]
  for await (const { example, weight } of kept.all()) {
    indices[position] = example['index'] as number
    isWeighted ||= weight !== undefined
    weights[position++] = weight ?? 1
  }
  return pickedRows(base, indices, isWeighted ? weights : undefined)
}

/** Prepares a stage from the rows of the previous stage. */
async function make(stage: Stage, base: Rows, opening: Opening): Promise<Opened> {
  if (stage.choose === undefined)
    return keep(stage, opening, (counts) => stage.make!(counts.into(base.all()), counts.leftOut))
  const choose = stage.choose
  async function* indices(): AsyncGenerator<Row, void> {
    const { indices: chosen, weights } = await choose(base)
    for (const [i, index] of chosen.entries())
      yield { example: { index }, ...(weights === undefined ? {} : { weight: weights[i]! }) }
  }
  const kept = await keep(stage, opening, indices, base.count)
  return { ...kept, rows: await chosenFrom(base, kept.rows) }
}

/**
 * Opens the last of a list of stages, each prepared from the rows of the previous one. Stored stages are reused, latest first, so a changed
 * stage only causes itself and later stages to be prepared again. Emits `stage.made` for each stage.
 * @throws AttuneError the errors of the plugins; `CANNOT_WRITE`
 */
export async function openStages(stages: readonly Stage[], opening: Opening): Promise<Rows> {
  const { store, emit, start } = opening
  let rejected = 0
  const open = async (position: number): Promise<Rows> => {
    const stage = stages[position]
    if (stage === undefined) return start
    const found = stage.id === undefined ? undefined : await store.open(stage.id)
    if (found !== undefined) {
      rejected = Math.max(rejected, found.facts.rejected)
      const base =
        stage.choose === undefined ? reportStored(stages.slice(0, position), opening) : await open(position - 1)
      emit(stageEvent(stage, found.facts, found.path, true))
      return base === undefined ? found.rows : chosenFrom(base, found.rows)
    }
    const base = await open(position - 1)
    const made = await make(stage, base, opening)
    emit(stageEvent(stage, made.facts, made.path, false))
    return made.rows
  }
  const rows = await open(stages.length - 1)
  // Reads the source, even though the stages are stored, so that its rejected rows are reported.
  if (rejected > opening.rejected()) await count(start.all())
  return rows
}

/** Reports earlier stages that are stored, without reading them. */
function reportStored(stages: readonly Stage[], { store, emit }: Opening): undefined {
  for (const stage of stages) {
    const facts = stage.id === undefined ? undefined : store.facts(stage.id)
    if (facts !== undefined && stage.id !== undefined) emit(stageEvent(stage, facts, store.path(stage.id), true))
  }
}
