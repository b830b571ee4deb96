import type { Example, ReportProgress } from '@attune/core'
import { countWords } from './count-words.js'
import { noText, textsOf } from './learning.js'
import { wordsOf } from './tokenize/pipeline.js'

/** Options that every tokenizer has: where its vocabulary and the training texts come from. */
interface VocabularySource {
  readonly path?: string | undefined
  readonly json?: unknown
  readonly config?: Readonly<Record<string, unknown>> | undefined
  readonly field: string | readonly string[]
}

/** Vocabulary training of a tokenizer, from word counts. */
export interface WordLearner<O extends VocabularySource> {
  /** The plugin's name. */
  readonly name: string
  /** Content of the untrained `tokenizer.json`, with an empty vocabulary. It defines normalization and pre-tokenization. */
  file(options: O): Readonly<Record<string, unknown>>
  /** Options learned from the word counts: `json`, and others that belong to it. */
  learn(words: ReadonlyMap<string, number>, options: O, report?: ReportProgress): Partial<O>
}

/**
 * Makes the `fit` of a tokenizer that trains its vocabulary on word counts. Options that already have a vocabulary are returned
 * unchanged.
 * @throws AttuneError `NO_TEXT` if the examples have no words
 */
export const fitOnWords =
  <O extends VocabularySource>({ name, file, learn }: WordLearner<O>) =>
  async (options: O, examples: () => AsyncIterable<Example>, _: unknown, report?: ReportProgress): Promise<O> => {
    if (options.path !== undefined || options.json !== undefined) return options
    const words = await countWords(textsOf(examples(), options.field, report), wordsOf(file(options)))
    if (words.size === 0) throw noText(name, options.field)
    const learned = learn(words, options, report)
    // What is given, such as a chat template, takes precedence over the defaults of the algorithm.
    const config = { ...learned.config, ...options.config }
    return { ...options, ...learned, ...(Object.keys(config).length === 0 ? {} : { config }) }
  }
