import type { Example, ReportProgress, Tokenizer } from '@attune/core'
import { z } from 'zod'
import { learningOptions, noText, textsOf } from './learning.js'
import { selectVocabulary } from './select-vocabulary.js'
import { wordsOf } from './tokenize/pipeline.js'
import { tokenizerOf } from './tokenize/tokenizer-of.js'
import { BERT_SPECIAL_TOKENS, BERT_TOKENS, bertTemplate, vocabularyOf } from './tokenizer-file.js'

/** The options of a tokenizer whose vocabulary is a choice of the terms that texts are cut into. */
export const termOptions = {
  ...learningOptions,
  vocabularySize: z
    .int()
    .min(10)
    .max(2_000_000)
    .default(20_000)
    .describe('The most entries of the vocabulary, when it is trained'),
  minimumFrequency: z.int().min(1).default(2).describe('What occurs more rarely is left out, when it is trained'),
  selectBy: z
    .enum(['count', 'tf-idf'])
    .default('count')
    .describe('Whether what is most frequent is chosen, or what has the greatest tf-idf, summed over the examples'),
  lowercase: z.boolean().default(true).describe('Whether a trained tokenizer lowercases'),
}

type Options = z.output<z.ZodObject<typeof termOptions>>

/** How a kind of terms is cut and put together. */
export interface TermKind {
  /** The plugin's name. */
  readonly name: string
  /** The `pre_tokenizer` of a tokenizer.json. */
  readonly preTokenizer: object
  /** The `decoder` of a tokenizer.json. */
  readonly decoder: object | null
  /** Makes a text of terms, where no decoder of a tokenizer.json does. */
  readonly join?: (terms: readonly string[]) => string
}

function fileOf(terms: readonly string[], lowercase: boolean, { preTokenizer, decoder }: TermKind) {
  const special = new Set<string>(BERT_TOKENS)
  const tokens = [...BERT_TOKENS, ...terms.filter((term) => !special.has(term))]
  return {
    ...bertTemplate(),
    normalizer: lowercase ? { type: 'Lowercase' } : null,
    pre_tokenizer: preTokenizer,
    decoder,
    model: { type: 'WordLevel', unk_token: '[UNK]', vocab: vocabularyOf(tokens) },
  }
}

async function* termsOf(texts: AsyncIterable<string>, split: (text: string) => string[]): AsyncGenerator<string[]> {
  for await (const text of texts) yield split(text)
}

/** Chooses a vocabulary of terms, unless the options have one. @throws AttuneError `NO_TEXT` if the examples have no terms. */
export async function learnTerms(
  options: Options,
  examples: AsyncIterable<Example>,
  kind: TermKind,
  report?: ReportProgress,
): Promise<Options> {
  if (options.path !== undefined || options.json !== undefined) return options
  const { field, lowercase, vocabularySize, minimumFrequency, selectBy } = options
  const split = wordsOf(fileOf([], lowercase, kind))
  const selection = { size: vocabularySize - BERT_TOKENS.length, minimumFrequency, selectBy }
  const terms = await selectVocabulary(termsOf(textsOf(examples, field, report), split), selection)
  if (terms.length === 0) throw noText(kind.name, field)
  return { ...options, json: fileOf(terms, lowercase, kind) }
}

/** A tokenizer of terms. @throws what {@link tokenizerOf} throws */
export const termTokenizer = (options: Options, { name, join }: TermKind): Tokenizer =>
  tokenizerOf(options, {
    name,
    type: 'WordLevel',
    config: () => ({ tokenizer_class: 'PreTrainedTokenizerFast', ...BERT_SPECIAL_TOKENS }),
    ...(join === undefined ? {} : { join }),
  })
