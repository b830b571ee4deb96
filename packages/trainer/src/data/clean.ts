import { type Chosen, type Cleaner, type Example, fieldsRead } from '@attune/core'
import { applyEdits } from '@attune/data'

/** Cleans the fields of an example that an objective reads as text. */
export type Clean = (example: Example) => Example

/** The fields that cleaners apply to: texts, and lists of words, each of which is cleaned. */
export const cleanedFields = (objective: Chosen) => ({
  texts: fieldsRead(objective, 'text'),
  words: fieldsRead(objective, 'words'),
})

/**
 * Applies cleaners in order to the fields of an example that an objective reads: the same in training, evaluation and prediction.
 * Fields of another content, and text fields that hold no text, stay as they are.
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
      if (Array.isArray(example[field])) changed[field] = (example[field] as unknown[]).map(cleaned)
    return changed
  }
}
