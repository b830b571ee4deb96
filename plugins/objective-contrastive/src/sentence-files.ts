const MODULES = 'sentence_transformers.models'

/**
 * Files with which the sentence-transformers library (Python) opens a saved model: a transformer, mean pooling over the tokens that are not
 * padding, and normalization to length 1, as in training.
 */
export const sentenceFiles = (hiddenSize: number, maximumLength: number): Readonly<Record<string, unknown>> => ({
  'modules.json': [
    { idx: 0, name: '0', path: '', type: `${MODULES}.Transformer` },
    { idx: 1, name: '1', path: '1_Pooling', type: `${MODULES}.Pooling` },
    { idx: 2, name: '2', path: '2_Normalize', type: `${MODULES}.Normalize` },
  ],
  'sentence_bert_config.json': { max_seq_length: maximumLength, do_lower_case: false },
  '1_Pooling/config.json': {
    word_embedding_dimension: hiddenSize,
    pooling_mode_cls_token: false,
    pooling_mode_mean_tokens: true,
    pooling_mode_max_tokens: false,
    pooling_mode_mean_sqrt_len_tokens: false,
  },
})
