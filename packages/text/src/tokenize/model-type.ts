import { isRecord } from '@attune/core'

type Unknown = Readonly<Record<string, unknown>>

/** Required fields of each model type, in the order in which the types are tried; WordLevel requires less than WordPiece. */
const WITHOUT_TYPE: readonly (readonly [type: string, fits: (model: Unknown) => boolean])[] = [
  ['Unigram', ({ vocab }) => Array.isArray(vocab)],
  ['BPE', ({ vocab, merges }) => isRecord(vocab) && Array.isArray(merges)],
  [
    'WordPiece',
    (model) =>
      isRecord(model['vocab']) &&
      ['unk_token', 'continuing_subword_prefix', 'max_input_chars_per_word'].every((key) => Object.hasOwn(model, key)),
  ],
  ['WordLevel', (model) => isRecord(model['vocab']) && Object.hasOwn(model, 'unk_token')],
]

/**
 * Model type in the content of a `tokenizer.json`. Older files do not have `model.type`; it is then inferred from the other
 * fields, as in the Rust library.
 * @returns undefined if the content is not a tokenizer
 */
export function modelTypeOf(content: unknown): string | undefined {
  const model = isRecord(content) ? content['model'] : undefined
  if (!isRecord(model)) return undefined
  const type = model['type']
  if (Object.hasOwn(model, 'type')) return typeof type === 'string' ? type : undefined
  return WITHOUT_TYPE.find(([, fits]) => fits(model))?.[0]
}
