import {
  AttuneError,
  type Augmenter,
  type Balanced,
  type Balancer,
  type Chosen,
  type Filter,
  type Key,
  deriveKey,
  stream,
  titleOf,
} from '@attune/core'
import type { Clean } from './clean.js'
import { missingField, requireFieldsIn } from './require-fields.js'
import type { Row, Rows } from './rows.js'

/** Counts the examples removed by a filter, by reason. */
export type Tally = (reason: string) => void

/** One stage of data preparation. */
export interface Stage {
  readonly kind: string
  /** Kind and name of the plugin. */
  readonly title: string
  /** Name of its file in the store; undefined if it cannot be stored. */
  readonly id: string | undefined
  /** Transforms rows in one pass. */
  make?(rows: AsyncIterable<Row>, leftOut: Tally): AsyncIterable<Row>
  /** Selects rows by index. */
  choose?(rows: Rows): Promise<Balanced>
}

/** Creates a stage that copies the rows of a source, for random access. */
export const sourceStage = (id: string | undefined, source: Chosen): Stage => ({
  kind: 'source',
  title: titleOf(source.plugin),
  id,
  make: (rows) => rows,
})

/** Creates the stage of a cleaner. */
export const cleanerStage = (id: string | undefined, { plugin }: Chosen, clean: Clean): Stage => ({
  kind: 'cleaner',
  title: titleOf(plugin),
  id,
  async *make(rows) {
    for await (const row of rows) yield { ...row, example: clean(row.example) }
  },
})

/** Creates the stage of a filter, which receives rows in source order. */
export const filterStage = (id: string | undefined, chosen: Chosen): Stage => ({
  kind: 'filter',
  title: titleOf(chosen.plugin),
  id,
  async *make(rows, leftOut) {
    const filter = chosen.plugin(chosen.options) as Filter
    let state = filter.init()
    for await (const row of requireFields(rows, chosen)) {
      const fate = filter.add(state, row.example)
      state = fate.state
      if (fate.keep) yield row
      else leftOut(fate.because ?? 'left out')
    }
  },
})

const requireFields = (rows: AsyncIterable<Row>, chosen: Chosen): AsyncIterable<Row> =>
  requireFieldsIn(rows, chosen, ({ example }) => example)

/** Creates the stage of an augmenter. Random streams depend only on an example's position. */
export const augmenterStage = (id: string | undefined, chosen: Chosen, key: Key): Stage => ({
  kind: 'augmenter',
  title: titleOf(chosen.plugin),
  id,
  async *make(rows) {
    const augmenter = chosen.plugin(chosen.options) as Augmenter
    let position = 0
    for await (const row of requireFields(rows, chosen))
      for (const example of augmenter.augment(row.example, stream(deriveKey(key, position++))))
        yield { ...row, example }
  },
})

/** Reads the class of each row. @throws AttuneError `MISSING_FIELD` */
async function classesOf(title: string, by: string, rows: Rows): Promise<string[]> {
  const classes: string[] = []
  for await (const { example } of rows.all()) {
    const value = Object.hasOwn(example, by) ? example[by] : undefined
    if (value === undefined || value === null) throw missingField(title, by, example)
    classes.push(typeof value === 'object' ? JSON.stringify(value) : String(value))
  }
  return classes
}

/** @throws AttuneError `BAD_BALANCE` */
function requireBalanced(title: string, count: number, { indices, weights }: Balanced): void {
  const refuse = (problem: string): never => {
    throw new AttuneError('BAD_BALANCE', `${title}: ${problem}`, 'Report this to the author of the plugin.')
  }
  const outside = indices.find((index) => !Number.isInteger(index) || index < 0 || index >= count)
  if (outside !== undefined) refuse(`expected indices in [0, ${count}), got ${outside}`)
  if (weights === undefined) return
  if (weights.length !== indices.length) refuse(`expected ${indices.length} weights, got ${weights.length}`)
  const wrong = weights.find((weight) => !Number.isFinite(weight) || weight < 0)
  if (wrong !== undefined) refuse(`expected finite, non-negative weights, got ${wrong}`)
}

/** Creates the stage of a balancer. */
export const balancerStage = (id: string | undefined, { plugin, options }: Chosen, key: Key): Stage => {
  const title = titleOf(plugin)
  return {
    kind: 'balancer',
    title,
    id,
    async choose(rows) {
      const balancer = plugin(options) as Balancer
      const classes = await classesOf(title, balancer.by, rows)
      const balanced = balancer.balance({ classes }, stream(key))
      requireBalanced(title, classes.length, balanced)
      return balanced
    },
  }
}
