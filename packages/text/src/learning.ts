import { AttuneError, type Example, type ReportProgress, isRecord } from '@attune/core'
import { z } from 'zod'

/** Schema of a JSON object with any keys. A record would drop the key `__proto__`. */
const jsonObject = z
  .custom<Readonly<Record<string, unknown>>>(isRecord, { message: 'expected an object' })
  .meta({ type: 'object', propertyNames: { type: 'string' }, additionalProperties: {} })

/** Options of every tokenizer plugin that loads a tokenizer.json or trains one on the training examples. */
export const learningOptions = {
  path: z
    .string()
    .min(1)
    .optional()
    .meta({ path: true })
    .describe(
      'A tokenizer.json, or the folder of a saved model (older tokenizer formats included); if absent, a vocabulary is trained',
    ),
  field: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .default('text')
    .meta({ field: 'text' })
    .describe(
      'Field of the training examples to train a vocabulary on, or a list of fields: texts, lists of words, or lists of messages',
    ),
  json: jsonObject.optional().describe('Content of a tokenizer.json; set by training'),
  addedTokens: z
    .array(z.string().min(1).max(1000))
    .max(100_000)
    .default([])
    .describe('Tokens to add to the vocabulary; they are matched verbatim in texts'),
}

/** The vocabulary size option of a subword tokenizer, with a minimum. */
export const vocabularySize = (minimum: number) =>
  z.int().min(minimum).max(2_000_000).default(8000).describe('Vocabulary size for training')

/** The option of a tokenizer that learns merges: the minimum frequency of a pair. */
export const mergeFrequency = z.int().min(1).default(2).describe('Minimum pair frequency for a merge in training')

/** The option for special tokens and chat templates, which are stored outside `tokenizer.json`. */
export const tokenizerConfig = jsonObject
  .optional()
  .describe('Content of the tokenizer_config.json that belongs to `json`: special tokens, chat template')

/** The text of a word, or of a message: `content`, or `value` in ShareGPT's files. */
const textIn = (part: unknown): readonly string[] => {
  const text = isRecord(part) ? (part['content'] ?? part['value']) : part
  return typeof text === 'string' ? [text] : []
}

/** Yields the texts of examples under one or more fields; a list of words, or of messages, is joined with spaces. */
export async function* textsOf(
  examples: AsyncIterable<Example>,
  field: string | readonly string[],
  report?: ReportProgress,
): AsyncGenerator<string> {
  const fields = typeof field === 'string' ? [field] : field
  let count = 0
  for await (const example of examples)
    for (const name of fields) {
      const value = Object.hasOwn(example, name) ? example[name] : undefined // a field may be named constructor
      const text = Array.isArray(value) ? value.flatMap(textIn).join(' ') : value
      if (typeof text !== 'string' || text === '') continue
      report?.('texts read', ++count)
      yield text
    }
}

/**
 * The error for training examples without words.
 * @param tokenizer the plugin's name
 */
export const noText = (tokenizer: string, field: string | readonly string[]): AttuneError =>
  new AttuneError(
    'NO_TEXT',
    `tokenizer ${tokenizer}: cannot train a vocabulary: the training examples have no words in ${[field]
      .flat()
      .map((name) => `"${name}"`)
      .join(', ')}`,
    `Set the field that holds the text: \`tokenizer: { use: ${tokenizer}, field: … }\`.`,
  )
