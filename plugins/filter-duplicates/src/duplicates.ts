import { createHash } from 'node:crypto'
import { FILTER, type Filter, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Digests of the examples so far: as many sets as a byte has values, since a set holds no more than 2²⁴. */
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
 * Removes exact duplicates: an example is left out if an earlier one has the same value in each of the fields, after normalization.
 *
 * Near duplicates that differ in a word stay. Of examples with the same text and other labels, `by: [text]` keeps the first only;
 * `by: [text, label]` keeps them all. Memory grows by about 100 bytes with each different example: a digest of 128 bits.
 */
export const duplicates = definePlugin({
  kind: FILTER,
  name: 'duplicates',
  summary: 'Leaves out examples whose fields have the values of an earlier example',
  source: 'Lee et al., Deduplicating Training Data Makes Language Models Better, ACL 2022',
  options: z.strictObject({
    by: z
      .array(z.string().min(1))
      .min(1)
      .max(50)
      .default(['text'])
      .describe('Fields that are compared; an example that lacks one of them is kept'),
    normalize: z
      .enum(['none', 'spaces', 'letters'])
      .default('spaces')
      .describe(
        'What is not compared: `none` compares every character, `spaces` ignores the kind and number of spaces, `letters` compares letters and digits only, in lower case',
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
export default duplicates
