import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AttuneError,
  type Chosen,
  type Example,
  type Protocol,
  type Rejected,
  type Source,
  fieldsRead,
  fold,
  key,
  stream,
} from '@attune/core'
import { count } from '@attune/data'
import { rejectsTo } from '@attune/data/files'
import type { PlanOf } from '../plan/plan.js'

/** Examples of one split, readable as often as needed, in the same order each time. */
export interface Split {
  readonly name: string
  readonly location: string
  examples(): AsyncIterable<Example>
  /** Rows left out so far, and the file they are kept in. */
  rejected(): { readonly count: number; readonly path: string }
}

/**
 * The source of a split, whose rows must have `fields`; rows that it leaves out go to `rejects/<split>.jsonl` in the run's
 * folder, once.
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
  const rejects = rejectsTo(path)
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

/** Rows with equal values are of one group; a value may be any JSON. */
const groupOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))

async function divide(protocol: Protocol, split: Split, seed: number) {
  const groups: string[] = []
  const by = protocol.stratifyBy
  for await (const example of split.examples()) groups.push(by === undefined ? '' : groupOf(example[by]))
  const folds = protocol.split(groups.length, by === undefined ? [] : groups, stream(fold(key(seed), 'protocol')))
  const first = folds[0]
  if (first !== undefined && first.train.length > 0) return first
  throw new AttuneError(
    'EMPTY_DATASET',
    `${split.location} has ${groups.length} examples, too few to set some aside for validation`,
    'Give more examples, or name a file under data.validation.',
  )
}

/** The training and validation splits: as the configuration names them, or as the protocol divides the training data. */
export async function openSplits({
  config,
  directory,
}: Pick<PlanOf<'data' | 'objective' | 'protocol' | 'seed'>, 'config' | 'directory'>): Promise<{
  readonly train: Split
  readonly validation: Split
}> {
  const fields = fieldsRead(config.objective)
  const train = openSplit('train', config.data.train, directory, fields)
  if (config.data.validation !== undefined)
    return { train, validation: openSplit('validation', config.data.validation, directory, fields) }
  const { plugin, options } = config.protocol
  const parts = await divide(plugin(options) as Protocol, train, config.seed)
  const part = (name: string, positions: readonly number[]): Split => {
    const chosen = new Set(positions)
    return { ...train, name, examples: () => pick(train.examples(), chosen) }
  }
  return { train: part('train', parts.train), validation: part('validation', parts.validation) }
}

/** Counts the examples. @throws AttuneError `EMPTY_DATASET`. */
export async function countExamples(split: Split): Promise<number> {
  const examples = await count(split.examples())
  if (examples > 0) return examples
  throw new AttuneError(
    'EMPTY_DATASET',
    `${split.location} holds no examples${split.rejected().count > 0 ? ` (${split.rejected().count} rows were rejected)` : ''}`,
    'Check the path and the format of the file.',
  )
}
