import { TOKENIZER, definePlugin } from '@attune/core'
import { type TermKind, learnTerms, termOptions, termTokenizer } from '@attune/text'
import { z } from 'zod'

const kind: TermKind = {
  name: 'character',
  preTokenizer: { type: 'Split', pattern: { Regex: '[\\s\\S]' }, behavior: 'Isolated', invert: false },
  decoder: { type: 'Fuse' },
}

/**
 * Characters: every code point, white space too, is a token if the vocabulary has it, else unknown. What is decoded is the text,
 * but for unknown characters.
 *
 * Near neighbour: byte-level BPE, which begins with bytes and joins them.
 */
export const character = definePlugin({
  kind: TOKENIZER,
  name: 'character',
  summary: 'Every character is a token: nothing is too long a word to be known',
  source: 'Zhang, Zhao and LeCun, Character-level Convolutional Networks for Text Classification, 2015, section 2.2',
  options: z.strictObject(termOptions),
  fit: (options, examples, _, report) => learnTerms(options, examples(), kind, report),
  create: (options) => termTokenizer(options, kind),
})
export default character
