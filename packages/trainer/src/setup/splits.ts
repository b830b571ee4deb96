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
  type Source,
  deriveKey,
  excerpt,
  key,
  nearest,
  stream,
} from '@attune/core'
import { count } from '@attune/data'
import { rejectedRowsTo } from '@attune/data/files'

/** Examples of one split; every read yields the same order. */
export interface Split {
  readonly name: string
  readonly location: string
  examples(): AsyncIterable<Example>
  /** Number of rows rejected so far, and the file that stores them. */
  rejected(): { readonly count: number; readonly path: string }
}

/**
 * Opens the source of a split, whose rows must have `fields`. Rejected rows are written to `rejects/<split>.jsonl` in the run folder,
 * once.
 */
export function openSplit(
  name: string,
  { plugin, options }: Chosen,
  directory: string | undefined,
  fields: readonly string[],
): Split {
  const source = plugin(options) as Source
  const folder = directory ?? join(tmpdir(), `attune-${process.pid}-${Date.now()}`)
  const path = join(folder, 'rejects', `${name}.jsonl`)
  const written = existsSync(path)
  const rejects = rejectedRowsTo(path)
  const known = new Set<number>()
  return {
    name,
    location: source.location,
    examples: () =>
      source.open((row: Rejected) => {
        known.add(row.line)
        if (!written) rejects.reject(row)
      }, fields),
    rejected: () => ({ count: known.size, path: rejects.path() ?? path }),
  }
}

async function* pick(examples: AsyncIterable<Example>, positions: ReadonlySet<number>): AsyncGenerator<Example> {
  let position = 0
  for await (const example of examples) if (positions.has(position++)) yield example
}

/** Key of a row's group: rows with equal values, which may be any JSON, share a group. */
const groupOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))

/** Field that a protocol groups by with its default options, if any. Data without classes lack it. */
function defaultGrouping(plugin: Chosen['plugin']): string | undefined {
  const usual = plugin.options.safeParse({})
  return usual.success ? (plugin(usual.data) as Protocol).stratifyBy : undefined
}

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
  const requires = by !== undefined && by !== defaultGrouping(plugin)
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
  throw new AttuneError(
    'EMPTY_DATASET',
    `${split.location} contains no examples${split.rejected().count > 0 ? ` (${split.rejected().count} rows were rejected)` : ''}`,
    'Check the path and the format of the file.',
  )
}
