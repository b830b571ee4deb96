import { TOKENIZER, definePlugin } from '@attune/core'
import { type TermKind, learnTerms, termOptions, termTokenizer } from '@attune/text'
import { z } from 'zod'

const kind: TermKind = {
  name: 'character',
  preTokenizer: { type: 'Split', pattern: { Regex: '[\\s\\S]' }, behavior: 'Isolated', invert: false },
  decoder: { type: 'Fuse' },
}

/**
 * Character tokenizer: every code point, including white space, is a token if the vocabulary contains it, else unknown. Decoding returns
 * the text, except for unknown characters.
 *
 * Near neighbour: byte-level BPE, which starts with bytes and merges them.
 */
export const character = definePlugin({
  kind: TOKENIZER,
  name: 'character',
  summary: 'Character tokenizer: every character is a token',
  source: 'Zhang, Zhao and LeCun, Character-level Convolutional Networks for Text Classification, 2015, section 2.2',
  options: z.strictObject(termOptions),
  fit: (options, examples, _, report) => learnTerms(options, examples(), kind, report),
  create: (options) => termTokenizer(options, kind),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'tokenizer character': typeof character
  }
}

export default character
