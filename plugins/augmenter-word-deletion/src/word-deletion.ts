import { AUGMENTER, type Augmenter, definePlugin } from '@attune/core'
import { z } from 'zod'

/** The words that are kept, at least one. */
function deleted(words: readonly string[], probability: number, random: () => number): readonly string[] {
  if (words.length < 2) return words
  const kept = words.filter(() => random() > probability)
  return kept.length > 0 ? kept : [words[Math.floor(random() * words.length)]!]
}

/**
 * Random word deletion, one of the four operations of EDA: each word is deleted with the same probability. If all would be
 * deleted, one random word is kept. Words are separated by white space; the copy has single spaces between them.
 */
export const wordDeletion = definePlugin({
  kind: AUGMENTER,
  name: 'word-deletion',
  summary: 'Random word deletion, as in EDA',
  source: 'Wei and Zou, EDA: Easy Data Augmentation Techniques, EMNLP 2019, section 2',
  options: z.strictObject({
    text: z.string().min(1).default('text').meta({ field: 'text' }).describe('Field that holds the text'),
    probability: z.number().min(0).lt(1).default(0.1).describe('Probability of deleting each word'),
    copies: z.int().min(1).max(100).default(1).describe('Augmented copies of each example'),
    keepOriginal: z.boolean().default(true).describe('Also train on the original example, before its copies'),
  }),
  create: ({ text: field, probability, copies, keepOriginal }): Augmenter => ({
    augment(example, random) {
      const text = Object.hasOwn(example, field) ? example[field] : undefined
      const words = typeof text === 'string' ? text.split(/\s+/).filter((word) => word !== '') : []
      if (words.length === 0) return [example]
      const copy = () => ({ ...example, [field]: deleted(words, probability, random).join(' ') })
      return [...(keepOriginal ? [example] : []), ...Array.from({ length: copies }, copy)]
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'augmenter word-deletion': typeof wordDeletion
  }
}

export default wordDeletion
