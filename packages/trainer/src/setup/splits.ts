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
  fieldsRead,
  fold,
  key,
  stream,
} from '@attune/core'
import { count, rejectsTo } from '@attune/data'
import type { PlanOf } from '../plan/plan.js'

/** Examples of one split, readable as often as needed, in the same order each time. */
export interface Split {
  readonly name: string
  readonly location: string
  examples(): AsyncIterable<Example>
  /** Rows left out so far, and the file they are kept in. */
  rejected(): { readonly count: number; readonly path: string }
}

/** The splits of a run. */
export interface Splits {
  readonly train: Split
  readonly validation: Split
  /** Examples of the fold for the final evaluation, if it has some. */
  readonly test?: Split
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

/** All divisions of the training data by a protocol. */
async function divide({ plugin, options }: Chosen, split: Split, seed: number): Promise<readonly Fold[]> {
  const protocol = plugin(options) as Protocol
  const groups: string[] = []
  const by = protocol.stratifyBy
  for await (const example of split.examples()) groups.push(by === undefined ? '' : groupOf(example[by]))
  return protocol.split(groups.length, by === undefined ? [] : groups, stream(fold(key(seed), 'protocol')))
}

function chooseFold(folds: readonly Fold[], index: number, { location }: Split): Fold {
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
    `${location} has too few examples to set some aside for validation`,
    'Give more examples, or name a file under data.validation.',
  )
}

/** What decides how the examples of a run are divided. */
type Division = Pick<PlanOf<'data' | 'objective' | 'protocol' | 'seed' | 'fold'>, 'config' | 'directory'>

/** The number of folds into which the protocol divides the training data. */
export async function countFolds({ config, directory }: Division): Promise<number> {
  const train = openSplit('train', config.data.train, directory, fieldsRead(config.objective))
  return (await divide(config.protocol, train, config.seed)).length
}

/**
 * The training and validation splits: as the configuration names them, or as the protocol divides the training data; and the
 * examples that the chosen fold keeps for a final evaluation, if it does.
 * @throws AttuneError `EMPTY_DATASET`, `NO_SUCH_FOLD`
 */
export async function openSplits({ config, directory }: Division): Promise<Splits> {
  const fields = fieldsRead(config.objective)
  const train = openSplit('train', config.data.train, directory, fields)
  if (config.data.validation !== undefined)
    return { train, validation: openSplit('validation', config.data.validation, directory, fields) }
  const parts = chooseFold(await divide(config.protocol, train, config.seed), config.fold ?? 0, train)
  const part = (name: string, positions: readonly number[]): Split => {
    const chosen = new Set(positions)
    return { ...train, name, examples: () => pick(train.examples(), chosen) }
  }
  return {
    train: part('train', parts.train),
    validation: part('validation', parts.validation),
    ...(parts.test === undefined ? {} : { test: part('test', parts.test) }),
  }
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
