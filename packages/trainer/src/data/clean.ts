import { type Chosen, type Cleaner, type Example, fieldsRead } from '@attune/core'
import { applyEdits } from '@attune/data'

/** Cleans the fields of an example that an objective reads as text. */
export type Clean = (example: Example) => Example

/** Fields that cleaners apply to: texts, and lists of words that are cleaned one by one. */
export const cleanedFields = (objective: Chosen) => ({
  texts: fieldsRead(objective, 'text'),
  words: fieldsRead(objective, 'words'),
})

/**
 * Applies cleaners in order to the fields of an example that an objective reads, in training, evaluation and prediction alike. Other
 * fields, and text fields whose value is not a string, are left unchanged.
 */
export function cleaning(cleaners: readonly Chosen[], objective: Chosen): Clean {
  if (cleaners.length === 0) return (example) => example
  const chain = cleaners.map(({ plugin, options }) => plugin(options) as Cleaner)
  const { texts, words } = cleanedFields(objective)
  const cleaned = (text: unknown): unknown =>
    typeof text === 'string' ? chain.reduce((given, { edits }) => applyEdits(given, edits(given)), text) : text
  return (example) => {
    const changed: Record<string, unknown> = { ...example }
    for (const field of texts) if (Object.hasOwn(example, field)) changed[field] = cleaned(example[field])
    for (const field of words)
      if (Object.hasOwn(example, field) && Array.isArray(example[field]))
        changed[field] = (example[field] as unknown[]).map(cleaned)
    return changed
  }
}
