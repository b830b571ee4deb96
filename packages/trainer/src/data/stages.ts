import {
  AttuneError,
  type Augmenter,
  type Balanced,
  type Balancer,
  type Chosen,
  type Filter,
  type Key,
  excerpt,
  deriveKey,
  nearest,
  stream,
  titleOf,
} from '@attune/core'
import type { Clean } from './clean.js'
import type { Row, Rows } from './rows.js'

/** Counts the examples that a filter leaves out, by its reason. */
export type Tally = (reason: string) => void

/** One step of the preparation of training data. */
export interface Stage {
  readonly kind: string
  /** Kind and name of the plugin. */
  readonly title: string
  /** Names the file that keeps it; undefined for one that cannot be kept. */
  readonly id: string | undefined
  /** Makes rows of rows, in one pass. */
  make?(rows: AsyncIterable<Row>, leftOut: Tally): AsyncIterable<Row>
  /** Chooses among rows, by index. */
  choose?(rows: Rows): Promise<Balanced>
}

/** Makes a stage that copies the rows of a source, so that they can be read in any order. */
export const sourceStage = (id: string | undefined, source: Chosen): Stage => ({
  kind: 'source',
  title: titleOf(source.plugin),
  id,
  make: (rows) => rows,
})

/** Makes the stage of a cleaner. */
export const cleanerStage = (id: string | undefined, { plugin }: Chosen, clean: Clean): Stage => ({
  kind: 'cleaner',
  title: titleOf(plugin),
  id,
  async *make(rows) {
    for await (const row of rows) yield { ...row, example: clean(row.example) }
  },
})

/** Makes the stage of a filter, which sees the rows in the order of the source. */
export const filterStage = (id: string | undefined, { plugin, options }: Chosen): Stage => ({
  kind: 'filter',
  title: titleOf(plugin),
  id,
  async *make(rows, leftOut) {
    const filter = plugin(options) as Filter
    let state = filter.init()
    for await (const row of rows) {
      const fate = filter.add(state, row.example)
      state = fate.state
      if (fate.keep) yield row
      else leftOut(fate.because ?? 'left out')
    }
  },
})

/** Makes the stage of an augmenter. Random numbers are those of an example's position, whatever became of others. */
export const augmenterStage = (id: string | undefined, { plugin, options }: Chosen, key: Key): Stage => ({
  kind: 'augmenter',
  title: titleOf(plugin),
  id,
  async *make(rows) {
    const augmenter = plugin(options) as Augmenter
    let position = 0
    for await (const row of rows)
      for (const example of augmenter.augment(row.example, stream(deriveKey(key, position++))))
        yield { ...row, example }
  },
})

/** The class of each row. @throws AttuneError `MISSING_FIELD` */
async function classesOf(title: string, by: string, rows: Rows): Promise<string[]> {
  const classes: string[] = []
  for await (const { example } of rows.all()) {
    const value = Object.hasOwn(example, by) ? example[by] : undefined
    if (value === undefined || value === null) {
      const [near = Object.keys(example)[0]] = nearest(by, Object.keys(example))
      throw new AttuneError(
        'MISSING_FIELD',
        `${title} balances classes by the field "${by}", and an example has nothing there: it has ${excerpt(example, 120)}`,
        `Name the field that holds the class${near === undefined ? '' : `, "${near}" say`}.`,
      )
    }
    classes.push(typeof value === 'object' ? JSON.stringify(value) : String(value))
  }
  return classes
}

/** @throws AttuneError `BAD_BALANCE`, `NO_VECTORS` */
function requireBalanced(title: string, count: number, { indices, weights, synthetic = [] }: Balanced): void {
  if (synthetic.length > 0) throw noVectors(title, `makes ${synthetic.length} examples between others`)
  const refuse = (problem: string): never => {
    throw new AttuneError('BAD_BALANCE', `${title}: ${problem}`, 'Report this to the author of the plugin.')
  }
  const outside = indices.find((index) => !Number.isInteger(index) || index < 0 || index >= count)
  if (outside !== undefined) refuse(`expected indices in [0, ${count}), got ${outside}`)
  if (weights === undefined) return
  if (weights.length !== indices.length) refuse(`expected ${indices.length} weights, got ${weights.length}`)
  const wrong = weights.find((weight) => !Number.isFinite(weight) || weight < 0)
  if (wrong !== undefined) refuse(`expected weights that are finite and not negative, got ${wrong}`)
}

const noVectors = (title: string, what: string): AttuneError =>
  new AttuneError(
    'NO_VECTORS',
    `${title} ${what}, and the examples of this run are texts, which have no vectors before the model reads them`,
    'Use a balancer that repeats or weights examples: `balancer: random-oversampling` or `balancer: class-weights`.',
  )

/** Makes the stage of a balancer. */
export const balancerStage = (id: string | undefined, { plugin, options }: Chosen, key: Key): Stage => {
  const title = titleOf(plugin)
  return {
    kind: 'balancer',
    title,
    id,
    async choose(rows) {
      const balancer = plugin(options) as Balancer
      if (balancer.reads === 'vectors') throw noVectors(title, 'compares the vectors of examples')
      const classes = await classesOf(title, balancer.by, rows)
      const balanced = balancer.balance({ classes }, stream(key))
      requireBalanced(title, classes.length, balanced)
      return balanced
    },
  }
}
