/** The special tokens that BERT's vocabularies begin with. */
export const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const

const special = (content: string, type: number) => ({ SpecialToken: { id: content, type_id: type } })
const sequence = (id: 'A' | 'B', type: number) => ({ Sequence: { id, type_id: type } })

/** The special tokens as a file declares them: found in a text as they stand, before anything else is done to it. */
const ADDED = SPECIAL_TOKENS.map((content, id) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
}))

/** `[CLS] A [SEP]`, and `[CLS] A [SEP] B [SEP]`. */
const TEMPLATE = {
  type: 'TemplateProcessing',
  single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
  pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0), sequence('B', 1), special('[SEP]', 1)],
  special_tokens: Object.fromEntries(
    (['[CLS]', '[SEP]'] as const).map((id) => [id, { id, ids: [SPECIAL_TOKENS.indexOf(id)], tokens: [id] }]),
  ),
}

/** The content of a `tokenizer.json` for a vocabulary that begins with {@link SPECIAL_TOKENS}. */
export const makeTokenizerFile = (tokens: readonly string[], lowercase: boolean): Record<string, unknown> => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: ADDED,
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: TEMPLATE,
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(tokens.map((content, id) => [content, id])),
  },
})
