import { TOKENIZER, definePlugin } from '@attune/core'
import { type TermKind, learnTerms, termOptions, termTokenizer } from '@attune/text'
import { z } from 'zod'

const options = z.strictObject({
  ...termOptions,
  size: z.int().min(1).max(100).default(3).describe('Characters of an n-gram, the marks of beginning and end included'),
})

const kindOf = (size: number): TermKind => ({
  name: 'character-ngram',
  preTokenizer: {
    type: 'Sequence',
    pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'CharacterNGrams', size }],
  },
  decoder: null,
  join: (grams) => joined(grams),
})

/** The words that n-grams came from: the first whole, of each of the others its last character. */
function joined(grams: readonly string[]): string {
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
 * Character n-grams: each word between white space is put between `<` and `>` and cut into all runs of `size` characters, of which
 * neighbours overlap. A word that is not known still shares n-grams with those that are.
 *
 * Near neighbour: subwords, which do not overlap.
 */
export const characterNgram = definePlugin({
  kind: TOKENIZER,
  name: 'character-ngram',
  summary: 'Overlapping character n-grams of words, as in fastText',
  source: 'Bojanowski et al., Enriching Word Vectors with Subword Information, 2017, section 3.2',
  options,
  exceptions: { decoding: 'nothing tells what an unknown n-gram shares with its neighbours' },
  fit: async ({ size, ...given }, examples, _, report) => ({
    ...(await learnTerms(given, examples(), kindOf(size), report)),
    size,
  }),
  create: ({ size, ...given }) => termTokenizer(given, kindOf(size)),
})
export default characterNgram
