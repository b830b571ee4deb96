import { AttuneError, type Example, type ReportProgress } from '@attune/core'
import { z } from 'zod'

/** The options that every tokenizer plugin has which loads a tokenizer.json or learns one from the training examples. */
export const learningOptions = {
  path: z
    .string()
    .min(1)
    .optional()
    .meta({ path: true })
    .describe(
      'A tokenizer.json, or the folder of a saved model, older ones included; without it a vocabulary is trained',
    ),
  field: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .default('text')
    .describe('The field of the training examples that a vocabulary is trained on, or a list of fields'),
  json: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('The content of a tokenizer.json; what training fills in'),
  addedTokens: z
    .array(z.string().min(1).max(1000))
    .max(100_000)
    .default([])
    .describe('Tokens to add to the vocabulary, found in texts as they stand'),
}

/** The option of a tokenizer that learns pieces of words: how many, `least` or more. */
export const vocabularySize = (least: number) =>
  z.int().min(least).max(2_000_000).default(8000).describe('Entries of the vocabulary, when it is trained')

/** The option of a tokenizer that learns by joining pieces: how often two must have met. */
export const mergeFrequency = z
  .int()
  .min(1)
  .default(2)
  .describe('Pieces rarer than this are not joined, when a vocabulary is trained')

/** The option of a tokenizer whose roles and templates stand in a file of their own. */
export const tokenizerConfig = z
  .record(z.string(), z.unknown())
  .optional()
  .describe('The content of the tokenizer_config.json that belongs to `json`: tokens with a role, the chat template')

/** Texts of examples under one field or several, in order; a list of words is joined with spaces. */
export async function* textsOf(
  examples: AsyncIterable<Example>,
  field: string | readonly string[],
  report?: ReportProgress,
): AsyncGenerator<string> {
  const fields = typeof field === 'string' ? [field] : field
  let count = 0
  for await (const example of examples)
    for (const name of fields) {
      const value = example[name]
      const text = Array.isArray(value) ? value.filter((word) => typeof word === 'string').join(' ') : value
      if (typeof text !== 'string' || text === '') continue
      report?.('texts read', ++count)
      yield text
    }
}

/**
 * Says that there was nothing to learn from.
 * @param tokenizer the plugin's name
 */
export const noText = (tokenizer: string, field: string | readonly string[]): AttuneError =>
  new AttuneError(
    'NO_TEXT',
    `tokenizer ${tokenizer}: the training examples have no words under ${[field]
      .flat()
      .map((name) => `"${name}"`)
      .join(', ')} to train a vocabulary on`,
    `Name the field that holds the text: \`tokenizer: { use: ${tokenizer}, field: … }\`.`,
  )
