import { TOKENIZER, definePlugin } from '@attune/core'
import { type TermKind, learnTerms, termOptions, termTokenizer } from '@attune/text'
import { z } from 'zod'

const options = z.strictObject({
  ...termOptions,
  size: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe('Length of an n-gram in characters, including the marks of beginning and end'),
})

const kindOf = (size: number): TermKind => ({
  name: 'character-ngram',
  preTokenizer: {
    type: 'Sequence',
    pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'CharacterNGrams', size }],
  },
  decoder: null,
  join: (grams) => decodeGrams(grams),
})

/** The words that n-grams came from: the first n-gram of a word in full, the last character of each of the others. */
function decodeGrams(grams: readonly string[]): string {
  const words: string[] = []
  let open = false
  for (const gram of grams) {
    if (open) words.push((words.pop() ?? '') + (Array.from(gram).at(-1) ?? ''))
    else words.push(gram)
    open = !gram.endsWith('>')
  }
  return words.map((word) => word.replace(/^<|>$/g, '')).join(' ')
}

/**
 * Character n-grams: each white-space-separated word is enclosed in `<` and `>` and split into all runs of `size` characters, which overlap. An
 * unknown word still shares n-grams with known ones.
 *
 * Near neighbour: subwords, which do not overlap.
 */
export const characterNgram = definePlugin({
  kind: TOKENIZER,
  name: 'character-ngram',
  summary: 'Overlapping character n-grams of words, as in fastText',
  source: 'Bojanowski et al., Enriching Word Vectors with Subword Information, 2017, section 3.2',
  options,
  exceptions: { decoding: 'the overlap of an unknown n-gram with its neighbours cannot be recovered' },
  fit: async ({ size, ...given }, examples, _, report) => ({
    ...(await learnTerms(given, examples(), kindOf(size), report)),
    size,
  }),
  create: ({ size, ...given }) => termTokenizer(given, kindOf(size)),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'tokenizer character-ngram': typeof characterNgram
  }
}

export default characterNgram
