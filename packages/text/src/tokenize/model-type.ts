import { isRecord } from '@attune/core'

type Unknown = Readonly<Record<string, unknown>>

/** What each type of model must say, in the order in which they are tried: WordLevel asks for less than WordPiece does. */
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
 * The type of the model in the content of a `tokenizer.json`. Older files do not say it; then it is what the Rust library
 * takes it for, by what else the model says.
 * @returns undefined if the content is that of no tokenizer
 */
export function modelTypeOf(content: unknown): string | undefined {
  const model = isRecord(content) ? content['model'] : undefined
  if (!isRecord(model)) return undefined
  const type = model['type']
  if (Object.hasOwn(model, 'type')) return typeof type === 'string' ? type : undefined
  return WITHOUT_TYPE.find(([, fits]) => fits(model))?.[0]
}
