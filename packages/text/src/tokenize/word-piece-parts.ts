/** Normalization options of a BERT tokenizer. Null accents are stripped if texts are lowercased. */
export interface BertNormalization {
  readonly lowercase: boolean
  readonly ideographs: boolean
  readonly accents: boolean | null
}

/** Parts of a WordPiece tokenizer as in BERT, in the format of tokenizer.json, without the vocabulary. */
export const wordPieceParts = (unknown: string, { lowercase, ideographs, accents }: BertNormalization) => ({
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: ideographs,
    strip_accents: accents,
    lowercase,
  },
  preTokenizer: { type: 'BertPreTokenizer' },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: { type: 'WordPiece', unk_token: unknown, continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
})
