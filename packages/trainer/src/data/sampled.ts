import {
  AttuneError,
  type Chosen,
  type Example,
  type Key,
  type Sampler,
  deriveKey,
  stream,
  titleOf,
} from '@attune/core'
import { cleanedFields } from './clean.js'
import { missingField } from './require-fields.js'
import type { Row, Rows } from './rows.js'

/** Order of the examples in each epoch. */
export interface SampledOrder {
  /** Number of examples per epoch. */
  readonly count: number
  /** As {@link Sampler.batches}. */
  readonly batches: boolean | 'mixed'
  rows(epoch: number): AsyncIterable<Row>
}

const sizeOf = (value: unknown): number =>
  typeof value === 'string'
    ? value.length
    : Array.isArray(value)
      ? value.reduce((sum: number, each) => sum + sizeOf(each), 0)
      : 0

/** Value of a field that an example has; undefined otherwise, also for names such as `constructor`. */
const own = (example: Example, field: string): unknown => (Object.hasOwn(example, field) ? example[field] : undefined)

/**
 * Reads the inputs of a sampler: the group of each example and the length of its texts in UTF-16 code units.
 * @throws AttuneError `MISSING_FIELD` for an example without the field of the group
 */
async function readFacts(title: string, rows: Rows, by: string | undefined, fields: readonly string[]) {
  const lengths = new Float64Array(rows.count)
  const numbers = new Int32Array(rows.count)
  const names = new Map<string, number>()
  let position = 0
  for await (const { example } of rows.all()) {
    lengths[position] = fields.reduce((sum, field) => sum + sizeOf(own(example, field)), 0)
    const value = by === undefined ? '' : own(example, by)
    if (by !== undefined && value == null) throw missingField(title, by, example)
    const name = typeof value === 'object' ? JSON.stringify(value) : String(value)
    if (!names.has(name)) names.set(name, names.size)
    numbers[position++] = names.get(name)!
  }
  const groups = [...names.keys()]
  return { lengths, group: (index: number): string => groups[numbers[index]!]! }
}

const badOrder = (title: string, problem: string): AttuneError =>
  new AttuneError('BAD_ORDER', `${title}: ${problem}`, 'Report this to the author of the plugin.')

/** Maximum number of indices in an epoch, which are held in memory. */
const MAXIMUM_INDICES = 2 ** 28

/** Collects and validates the indices of a sampler. @throws AttuneError `BAD_ORDER` */
function requireOrder(title: string, order: Iterable<number>, count: number): Int32Array {
  const indices: number[] = []
  for (const index of order) {
    if (!Number.isInteger(index) || index < 0 || index >= count)
      throw badOrder(title, `expected indices in [0, ${count}), got ${index}`)
    if (indices.push(index) > MAXIMUM_INDICES)
      throw badOrder(title, `expected at most ${MAXIMUM_INDICES} indices in an epoch, got more`)
  }
  if (indices.length === 0) throw badOrder(title, 'expected an epoch of at least one example, got none')
  return Int32Array.from(indices)
}

/**
 * Opens a sampler on prepared examples.
 * @throws AttuneError `BAD_ORDER` for indices out of range, and (from `rows`) for an epoch whose length differs from the first
 */
export async function openSampler(
  chosen: Chosen,
  rows: Rows,
  { objective, batchSize, key }: { readonly objective: Chosen; readonly batchSize: number; readonly key: Key },
): Promise<SampledOrder> {
  const sampler = chosen.plugin(chosen.options) as Sampler
  const title = titleOf(chosen.plugin)
  const { texts, words } = cleanedFields(objective)
  const { lengths, group } = await readFacts(title, rows, sampler.by, [...texts, ...words])
  const data = { count: rows.count, batchSize, group, length: (index: number): number => lengths[index]! }
  const orderOf = (epoch: number): Int32Array =>
    requireOrder(title, sampler.order(epoch, data, stream(deriveKey(key, 'epoch', epoch, 'sampler'))), rows.count)
  const count = orderOf(0).length
  return {
    count,
    batches: sampler.batches ?? false,
    rows(epoch) {
      const indices = orderOf(epoch)
      if (indices.length !== count)
        throw badOrder(title, `expected ${count} examples in every epoch, got ${indices.length} in epoch ${epoch + 1}`)
      return rows.pick(indices)
    },
  }
}
