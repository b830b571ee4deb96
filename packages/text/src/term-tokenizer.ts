import type { Example, ReportProgress, Tokenizer } from '@attune/core'
import { z } from 'zod'
import { learningOptions, noText, textsOf } from './learning.js'
import { selectVocabulary } from './select-vocabulary.js'
import { wordsOf } from './tokenize/pipeline.js'
import { tokenizerOf } from './tokenize/tokenizer-of.js'
import { BERT_SPECIAL_TOKENS, BERT_TOKENS, bertTemplate, vocabularyOf } from './tokenizer-file.js'

/** Options of a tokenizer whose vocabulary is a selection of the terms of the training texts. */
export const termOptions = {
  ...learningOptions,
  vocabularySize: z.int().min(10).max(2_000_000).default(20_000).describe('Maximum vocabulary size for training'),
  minimumFrequency: z
    .int()
    .min(1)
    .default(2)
    .describe('Minimum frequency of a term in training; rarer terms are left out'),
  selectBy: z
    .enum(['count', 'tf-idf'])
    .default('count')
    .describe('Ranks terms in training by frequency (count), or by tf-idf summed over the examples'),
  lowercase: z.boolean().default(true).describe('True if a trained tokenizer lowercases texts'),
}

type Options = z.output<z.ZodObject<typeof termOptions>>

/** A kind of term (such as words or character n-grams): its pre-tokenization and decoding. */
export interface TermKind {
  /** The plugin's name. */
  readonly name: string
  /** The `pre_tokenizer` of a tokenizer.json. */
  readonly preTokenizer: object
  /** The `decoder` of a tokenizer.json. */
  readonly decoder: object | null
  /** Joins terms to a text, for terms that no decoder of a tokenizer.json can decode. */
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

/** Selects a vocabulary of terms, unless the options have one. @throws AttuneError `NO_TEXT` if the examples have no terms. */
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

/** Creates a tokenizer of terms. @throws the errors of {@link tokenizerOf} */
export const termTokenizer = (options: Options, { name, join }: TermKind): Tokenizer =>
  tokenizerOf(options, {
    name,
    type: 'WordLevel',
    config: () => ({ tokenizer_class: 'PreTrainedTokenizerFast', ...BERT_SPECIAL_TOKENS }),
    ...(join === undefined ? {} : { join }),
  })
