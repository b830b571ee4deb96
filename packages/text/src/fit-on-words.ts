import type { Example, ReportProgress } from '@attune/core'
import { countWords } from './count-words.js'
import { noText, textsOf } from './learning.js'
import { wordsOf } from './tokenize/pipeline.js'

/** The options that tell whether a tokenizer has its vocabulary already, and where the texts are. */
interface Given {
  readonly path?: string | undefined
  readonly json?: unknown
  readonly field: string | readonly string[]
}

/** How a tokenizer learns from words. */
export interface WordLearner<O extends Given> {
  /** The plugin's name. */
  readonly name: string
  /** The content of its `tokenizer.json` while it knows no pieces: it says how texts are cut into words. */
  file(options: O): Readonly<Record<string, unknown>>
  /** The options that it learns from how often each word occurs: `json`, and what belongs to it. */
  learn(words: ReadonlyMap<string, number>, options: O, report?: ReportProgress): Partial<O>
}

/**
 * The `fit` of a tokenizer that learns from words; one that has its vocabulary keeps it.
 * @throws AttuneError `NO_TEXT` where the examples have no words
 */
export const fitOnWords =
  <O extends Given>({ name, file, learn }: WordLearner<O>) =>
  async (given: O, examples: () => AsyncIterable<Example>, _: unknown, report?: ReportProgress): Promise<O> => {
    if (given.path !== undefined || given.json !== undefined) return given
    const words = await countWords(textsOf(examples(), given.field, report), wordsOf(file(given)))
    if (words.size === 0) throw noText(name, given.field)
    return { ...given, ...learn(words, given, report) }
  }
