import { TOKENIZER, definePlugin } from '@attune/core'
import { type TermKind, learnTerms, termOptions, termTokenizer } from '@attune/text'
import { z } from 'zod'

const kind: TermKind = { name: 'word', preTokenizer: { type: 'Whitespace' }, decoder: null }

/**
 * Word-level tokenizer: a text is split into runs of letters, digits and underscores and runs of other visible characters; each is a token
 * if the vocabulary contains it, else unknown.
 *
 * Near neighbour: WordPiece splits words outside the vocabulary into subwords.
 */
export const word = definePlugin({
  kind: TOKENIZER,
  name: 'word',
  summary: 'Word-level tokenizer: every word is a token, or unknown',
  source: 'Salton, Wong and Yang, A Vector Space Model for Automatic Indexing, 1975, for the choice by tf-idf',
  options: z.strictObject(termOptions),
  fit: (options, examples, _, report) => learnTerms(options, examples(), kind, report),
  create: (options) => termTokenizer(options, kind),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'tokenizer word': typeof word
  }
}

export default word
