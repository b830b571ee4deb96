import { bertTemplate, vocabularyOf } from '@attune/text'

/** Content of a `tokenizer.json` for a vocabulary that starts with the special tokens of BERT. */
export const makeTokenizerFile = (tokens: readonly string[], lowercase: boolean): Record<string, unknown> => ({
  ...bertTemplate(),
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: vocabularyOf(tokens),
  },
})
