import type { EncodeOptions, Model } from '@attune/core'
import { z } from 'zod'

/**
 * The option of an objective that cuts texts.
 * @param least the fewest tokens that it may say: the special ones and one more
 * @param what is cut, in the words of its description
 */
export const maximumTokens = (least: number, what = 'a text') =>
  z.int().min(least).optional().describe(`Tokens after which ${what} is cut; the default is the model's maximum`)

/** The options of an objective that say which end of a text is cut off, and how far batches are padded. */
export const lengthOptions = {
  truncationSide: z
    .enum(['left', 'right'])
    .optional()
    .describe("The end that is cut off a text that is too long; the default is the tokenizer's"),
  padToMultipleOf: z
    .int()
    .min(1)
    .max(512)
    .default(8)
    .describe('Batches are padded to a multiple of this, so that few shapes occur'),
}

/** Truncation of an objective's texts: the options, with the model's maximum length as the upper limit. */
export const lengthsFor = (
  o: { readonly maximumLength?: number | undefined } & Pick<EncodeOptions, 'truncationSide'>,
  model: Pick<Model, 'maximumLength'>,
) => ({
  maximumLength: Math.min(o.maximumLength ?? model.maximumLength, model.maximumLength),
  truncationSide: o.truncationSide,
})
