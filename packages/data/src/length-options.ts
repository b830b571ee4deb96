import type { EncodeOptions, Model } from '@attune/core'
import { z } from 'zod'
import { labelNames } from './labels.js'

/**
 * Returns the schema of an objective's maximum length.
 * @param minimum the smallest allowed length: the special tokens and one more
 * @param what the text in question, for the description
 */
export const maximumTokens = (minimum: number, what = 'a text') =>
  z
    .int()
    .min(minimum)
    .optional()
    .describe(`Maximum number of tokens of ${what}; longer ones are truncated. Default: the model's maximum`)

/** The options of an objective that reads a text, or a pair of texts. */
export const textOptions = {
  text: z.string().default('text').meta({ field: 'text' }).describe('Field that holds the text'),
  pair: z.string().optional().meta({ field: 'text' }).describe('Field that holds a second text, if any'),
}

/** The truncation and padding options of an objective. */
export const lengthOptions = {
  truncationSide: z
    .enum(['left', 'right'])
    .optional()
    .describe("The end at which long texts are truncated. Default: the tokenizer's"),
  padToMultipleOf: z
    .int()
    .min(1)
    .max(512)
    .default(8)
    .describe('Batches are padded to a multiple of this length, so that few distinct shapes occur'),
}

/** The options of an objective that chooses labels for a text, or for a pair of texts. */
export const classificationOptions = {
  ...textOptions,
  label: z.string().default('label').meta({ field: 'label' }).describe('Field that holds the label'),
  labels: labelNames,
  maximumLength: maximumTokens(3),
  ...lengthOptions,
}

/** The options of an objective that reads pairs of segments of documents. */
export const documentOptions = {
  text: z
    .string()
    .default('text')
    .meta({ field: 'text' })
    .describe('Field that holds the document: a text, or a list of sentences'),
  maximumLength: maximumTokens(5, 'a pair of segments'),
  padToMultipleOf: lengthOptions.padToMultipleOf,
}

/** The truncation and padding options of an objective that reads prompts with completions. */
export const completionLengthOptions = {
  maximumLength: maximumTokens(2, 'a prompt with its completion'),
  maximumPromptLength: z
    .int()
    .min(1)
    .optional()
    .describe('Maximum number of tokens of a prompt; a longer one keeps its end. Default: no limit of its own'),
  maximumCompletionLength: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Maximum number of tokens of a completion; a longer one keeps its beginning. Default: no limit of its own',
    ),
  ...lengthOptions,
}

/** Returns the truncation settings of an objective: its options, with the maximum length of the model as the upper limit. */
export const lengthsFor = (
  o: { readonly maximumLength?: number | undefined } & Pick<EncodeOptions, 'truncationSide'>,
  model: Pick<Model, 'maximumLength'>,
) => ({
  maximumLength: Math.min(o.maximumLength ?? model.maximumLength, model.maximumLength),
  truncationSide: o.truncationSide,
})
