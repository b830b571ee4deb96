import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AttuneError,
  type Chosen,
  type Example,
  type Fold,
  type Protocol,
  type Rejected,
  type RowCheck,
  type Source,
  deriveKey,
  excerpt,
  key,
  nearest,
  stream,
} from '@attune/core'
import { count } from '@attune/data'
import { rejectedRowsTo } from '@attune/data/files'
import { locateRows } from '../data/locate-rows.js'
import type { FaultFinder } from '../data/row-rules.js'
import { withLocation } from '../data/with-location.js'

/** Examples of one split; every read yields the same order. */
export interface Split {
  readonly name: string
  readonly location: string
  examples(): AsyncIterable<Example>
  /** Number of rows rejected so far, the reason of the first, and the file that stores them. */
  rejected(): { readonly count: number; readonly path: string; readonly reason?: string | undefined }
  /** Finds the rows that examples were read from; see {@link locateRows}. */
  locate(examples: readonly Example[], change?: (example: Example) => Example): Promise<readonly string[]>
}

/** Requirements on the rows of a split. */
export interface RowDemands {
  /** Fields that every row must have. */
  readonly fields: readonly string[]
  /** Rules for the values of a row. Default: none. */
  readonly rules?: FaultFinder
}

/** Reads the examples of a source that are usable, also if the source ignores the check. */
async function* usable(
  source: Source,
  reject: (row: Rejected) => void,
  { fields, rules = () => undefined }: RowDemands,
): AsyncGenerator<Example, void> {
  let [row, isAsked] = [0, false]
  const check: RowCheck = (example, line) => {
    isAsked = true
    const fault = rules(example)
    return fault && withLocation(fault, `${source.location}:${line}`)
  }
  for await (const example of source.open(reject, fields, check)) {
    row++
    const fault = isAsked ? undefined : rules(example)
    if (fault !== undefined) throw withLocation(fault, `${source.location}, row ${row}`)
    yield example
  }
}

/**
 * Opens the source of a split, whose rows must meet `demands`. Rejected rows are written to `rejects/<split>.jsonl` in the run folder,
 * once.
 */
export function openSplit(
  name: string,
  { plugin, options }: Chosen,
  directory: string | undefined,
  demands: RowDemands,
): Split {
  const source = plugin(options) as Source
  const folder = directory ?? join(tmpdir(), `attune-${process.pid}-${Date.now()}`)
  const path = join(folder, 'rejects', `${name}.jsonl`)
  const written = existsSync(path)
  const rejects = rejectedRowsTo(path)
  const known = new Set<number>()
  let reason: string | undefined
  const reject = (row: Rejected): void => {
    reason ??= row.reason
    known.add(row.line)
    if (!written) rejects.reject(row)
  }
  return {
    name,
    location: source.location,
    examples: () => usable(source, reject, demands),
    rejected: () => ({ count: known.size, path: rejects.path() ?? path, reason }),
    locate: (examples, change) => locateRows(source, demands.fields, examples, change),
  }
}

async function* pick(examples: AsyncIterable<Example>, positions: ReadonlySet<number>): AsyncGenerator<Example> {
  let position = 0
  for await (const example of examples) if (positions.has(position++)) yield example
}

/** Key of a row's group: rows with equal values, which may be any JSON, share a group. */
const groupOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))

function missingGroup(protocol: string, by: string, example: Example): AttuneError {
  const [near = Object.keys(example)[0]] = nearest(by, Object.keys(example))
  return new AttuneError(
    'MISSING_FIELD',
    `protocol ${protocol}: expected the field "${by}" in every example, got ${excerpt(example, 120)}`,
    `Name the field in the options of the protocol${near === undefined ? '' : `, for example "${near}"`}.`,
  )
}

/** Computes all folds of a protocol. @throws AttuneError `MISSING_FIELD` if an example lacks the field to group by */
export async function foldsOf(
  { plugin, options }: Chosen,
  { examples }: Pick<Split, 'examples'>,
  seed: number,
): Promise<readonly Fold[]> {
  const protocol = plugin(options) as Protocol
  const groups: string[] = []
  const by = protocol.stratifyBy
  // Data without classes lack the protocol's usual field, which no option names.
  const requires = by !== undefined && Object.values(options).includes(by)
  for await (const example of examples()) {
    if (requires && !Object.hasOwn(example, by)) throw missingGroup(plugin.name, by, example)
    groups.push(by === undefined ? '' : groupOf(Object.hasOwn(example, by) ? example[by] : undefined))
  }
  return protocol.split(groups.length, by === undefined ? [] : groups, stream(deriveKey(key(seed), 'protocol')))
}

/** Computes the fold to train on. @throws AttuneError `EMPTY_DATASET`, `NO_SUCH_FOLD` */
export async function divide(
  protocol: Chosen,
  split: Pick<Split, 'location' | 'examples'>,
  { seed, fold: index = 0 }: { readonly seed: number; readonly fold?: number | undefined },
): Promise<Fold> {
  const folds = await foldsOf(protocol, split, seed)
  const chosen = folds[index]
  if (chosen !== undefined && chosen.train.length > 0) return chosen
  if (folds.length > 0 && index >= folds.length)
    throw new AttuneError(
      'NO_SUCH_FOLD',
      `expected \`fold\` below ${folds.length}, the number of folds of the protocol, got ${index}`,
      'Choose a smaller fold, or a protocol with more folds.',
    )
  throw new AttuneError(
    'EMPTY_DATASET',
    `${split.location} has too few examples for a validation split`,
    'Add examples, or set data.validation to a file.',
  )
}

/** Restricts a split to the examples at the given positions. */
export function partOf(split: Split, name: string, positions: readonly number[]): Split {
  const chosen = new Set(positions)
  return { ...split, name, examples: () => pick(split.examples(), chosen) }
}

/** Counts the examples. @throws AttuneError `EMPTY_DATASET`. */
export async function countExamples(split: Split): Promise<number> {
  const examples = await count(split.examples())
  if (examples > 0) return examples
  const { count: rejected, reason } = split.rejected()
  throw new AttuneError(
    'EMPTY_DATASET',
    `${split.location} contains no examples${rejected > 0 ? ` (${rejected} rows were rejected; the first: ${reason})` : ''}`,
    'Check the path and the format of the file.',
  )
}
