import type { AnyObjective, Encoded, Example, HostArray, OnHost, Tree } from '@attune/core'
import { z } from 'zod'
import { textOrName } from './classification-items.js'

/** Options of objectives that train on a labelled source domain and an unlabelled target domain. */
export const domainOptions = {
  domain: z.string().default('domain').meta({ field: 'label' }).describe('Field that holds the domain of a row'),
  source: z
    .string()
    .default('source')
    .describe('The domain whose labels train; rows of all others are of the target domain'),
}

/** An encoded example of a task with its domain. */
export interface DomainItem extends Encoded {
  readonly isSource: boolean
  readonly isLabelled: boolean
}

/** Settings of {@link domainItems}. */
export interface DomainSettings {
  /** Field that holds the domain. */
  readonly domain: string
  /** Name of the source domain. */
  readonly source: string
  /** Fields that hold the references of the task. */
  readonly labels: readonly string[]
}

const isFilled = (example: Example, field: string): boolean => {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  return value !== undefined && value !== null && !(typeof value === 'string' && value.trim() === '')
}

const indicators = (values: readonly boolean[]): HostArray => ({
  shape: [values.length],
  dtype: 'float32',
  values: Float32Array.from(values, Number),
})

/**
 * Encoding and collation of a task on two domains. Source rows need labels; target rows may have them, for evaluation. Batches have
 * `isSource` and `isLabelled`, float32 `[batch]`; in a training batch only source rows count as labelled.
 *
 * @example
 * ```ts
 * import { domainItems } from '@attune/data'
 * const task = {
 *   encode: () => ({ length: 1, truncated: false }),
 *   encodeUnlabelled: () => ({ length: 1, truncated: false }),
 *   collate: () => ({ inputs: {} }),
 * } as never
 * const { encode, collate } = domainItems(task, { domain: 'domain', source: 'books', labels: ['label'] })
 * const rows = [{ text: 'good', label: 'a', domain: 'books' }, { text: 'bad', domain: 'films' }]
 * console.log(collate(rows.map(encode)).isSource.values) // Float32Array(2) [ 1, 0 ]
 * ```
 */
export function domainItems(task: AnyObjective, { domain, source, labels }: DomainSettings) {
  const unlabelled = (example: Example, isSource: boolean): DomainItem => ({
    ...(task.encodeUnlabelled(example) as Encoded),
    isSource,
    isLabelled: false,
  })
  return {
    /** Encodes a row with its domain. @throws AttuneError `MISSING_FIELD` if a source row has no label */
    encode(example: Example): DomainItem {
      const isSource = textOrName(example, domain, 'domain') === source
      if (!isSource && !labels.every((field) => isFilled(example, field))) return unlabelled(example, false)
      return { ...(task.encode(example) as Encoded), isSource, isLabelled: true }
    },
    encodeUnlabelled: (example: Example): DomainItem => unlabelled(example, false),
    collate(items: readonly DomainItem[], random?: () => number) {
      return {
        ...(task.collate(items, random) as { readonly inputs: OnHost<Record<string, Tree>> }),
        isSource: indicators(items.map((item) => item.isSource)),
        isLabelled: indicators(items.map((item) => (random === undefined ? item.isLabelled : item.isSource))),
      }
    },
  }
}

/** The source rows among examples, from which the labels are learned. */
export async function* sourceRows(
  examples: AsyncIterable<Example>,
  { domain, source }: Pick<DomainSettings, 'domain' | 'source'>,
): AsyncIterable<Example> {
  for await (const example of examples) if (textOrName(example, domain, 'domain') === source) yield example
}
