import type { Piece, Templates } from '@attune/text'
import type { TokenizerFile } from './tokenizer-file.js'

type Declared = Extract<NonNullable<TokenizerFile['post_processor']>, { type: 'TemplateProcessing' }>

/** The templates that a file asks for; without any, the texts alone. */
export function templatesOf({ post_processor: processor, model }: TokenizerFile): Templates {
  const text = (name: 'A' | 'B', type: number): Piece => ({ text: name, type })
  if (processor == null) return { single: [text('A', 0)], pair: [text('A', 0), text('B', 1)] }
  if (processor.type === 'BertProcessing') {
    const [cls, sep] = [processor.cls[1], processor.sep[1]]
    const single: Piece[] = [{ ids: [cls], type: 0 }, text('A', 0), { ids: [sep], type: 0 }]
    return { single, pair: [...single, text('B', 1), { ids: [sep], type: 1 }] }
  }
  const declared = processor as Declared
  const piece = (place: Declared['single'][number]): Piece => {
    if ('Sequence' in place) return text(place.Sequence.id, place.Sequence.type_id)
    const { id, type_id: type } = place.SpecialToken
    return { ids: declared.special_tokens[id]?.ids ?? [model.vocab[id] ?? 0], type }
  }
  return { single: declared.single.map(piece), pair: declared.pair.map(piece) }
}
