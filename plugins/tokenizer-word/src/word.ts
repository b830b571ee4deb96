import { TOKENIZER, definePlugin } from '@attune/core'
import { type TermKind, learnTerms, termOptions, termTokenizer } from '@attune/text'
import { z } from 'zod'

const kind: TermKind = { name: 'word', preTokenizer: { type: 'Whitespace' }, decoder: null }

/**
 * Words: a text is cut into runs of letters, digits and underscores and runs of other visible characters, and each is a token if
 * the vocabulary has it, else unknown.
 *
 * Near neighbour: WordPiece cuts words that it lacks into pieces that it has.
 */
export const word = definePlugin({
  kind: TOKENIZER,
  name: 'word',
  summary: 'Every word is a token, or unknown: the vocabulary is that of the training texts',
  source: 'Salton, Wong and Yang, A Vector Space Model for Automatic Indexing, 1975, for the choice by tf-idf',
  options: z.strictObject(termOptions),
  fit: (options, examples, _, report) => learnTerms(options, examples(), kind, report),
  create: (options) => termTokenizer(options, kind),
})
export default word
