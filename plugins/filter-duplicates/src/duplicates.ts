import { createHash } from 'node:crypto'
import { FILTER, type Filter, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Digests of the examples so far, in one set per value of the first byte, since a set holds at most 2²⁴ entries. */
type Seen = readonly Set<string>[]

const SHARDS = 256

const NORMALIZED: Readonly<Record<'none' | 'spaces' | 'letters', (text: string) => string>> = {
  none: (text) => text,
  spaces: (text) => text.normalize('NFC').replace(/\s+/gu, ' ').trim(),
  letters: (text) =>
    text
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}]+/gu, ' ')
      .trim(),
}

/**
 * Exact deduplication: an example is removed if an earlier one has the same value in each of the fields, after normalization.
 *
 * Near duplicates that differ in a word are kept. Of examples with the same text and different labels, `by: [text]` keeps only the
 * first; `by: [text, label]` keeps all. Memory grows by about 100 bytes per distinct example: a 128-bit digest.
 */
export const duplicates = definePlugin({
  kind: FILTER,
  name: 'duplicates',
  summary: 'Exact deduplication: removes examples whose fields equal those of an earlier example',
  source: 'Lee et al., Deduplicating Training Data Makes Language Models Better, ACL 2022',
  options: z.strictObject({
    by: z
      .array(z.string().min(1))
      .min(1)
      .max(50)
      .default(['text'])
      .meta({ field: 'any' })
      .describe('Fields to compare; an example that lacks one of them is kept'),
    normalize: z
      .enum(['none', 'spaces', 'letters'])
      .default('spaces')
      .describe(
        'Normalization before the comparison: `none` compares every character, `spaces` ignores the kind and number of spaces, `letters` compares only letters and digits, in lower case',
      ),
  }),
  create({ by, normalize }): Filter<Seen> {
    const normalized = (value: unknown): unknown => (typeof value === 'string' ? NORMALIZED[normalize](value) : value)
    return {
      init: () => Array.from({ length: SHARDS }, () => new Set<string>()),
      add(state, example) {
        const values = by.map((field) => (Object.hasOwn(example, field) ? example[field] : undefined))
        if (values.some((value) => value === undefined || value === null)) return { state, keep: true }
        const hash = createHash('sha256')
          .update(JSON.stringify(values.map(normalized)))
          .digest()
          .subarray(0, 16)
        const [shard, digest] = [state[hash[0]!]!, hash.toString('latin1')]
        if (shard.has(digest)) return { state, keep: false, because: 'duplicate' }
        shard.add(digest)
        return { state, keep: true }
      },
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'filter duplicates': typeof duplicates
  }
}

export default duplicates
