/** Special tokens as the added tokens of a tokenizer.json, matched verbatim; their ids count from 0. */
export const addedTokens = (contents: readonly string[]): readonly Readonly<Record<string, unknown>>[] =>
  contents.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }))

const templateItem = (written: string): Record<string, unknown> => {
  const [name, type = '0'] = written.split(':')
  const item = { id: name!.replace('$', ''), type_id: Number(type) }
  return name!.startsWith('$') ? { Sequence: item } : { SpecialToken: item }
}

/**
 * The `TemplateProcessing` post-processor of a tokenizer.json, which adds special tokens around a text and around a pair of
 * texts. Templates use the notation of the tokenizers library: `[CLS] $A [SEP]`, `[CLS] $A [SEP] $B:1 [SEP]:1`. Numbers are
 * type ids.
 * @param specialTokens all special tokens in the order of their ids, which count from 0
 */
export function templateStep(
  single: string,
  pair: string,
  specialTokens: readonly string[],
): Readonly<Record<string, unknown>> {
  const used = specialTokens.filter((token) => pair.split(' ').some((part) => part.split(':')[0] === token))
  return {
    type: 'TemplateProcessing',
    single: single.split(' ').map(templateItem),
    pair: pair.split(' ').map(templateItem),
    special_tokens: Object.fromEntries(used.map((id) => [id, { id, ids: [specialTokens.indexOf(id)], tokens: [id] }])),
  }
}

/** The special tokens of BERT's vocabularies. */
export const BERT_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const

/** Roles of {@link BERT_TOKENS}, as in a tokenizer_config.json. */
export const BERT_SPECIAL_TOKENS = {
  pad_token: '[PAD]',
  unk_token: '[UNK]',
  cls_token: '[CLS]',
  sep_token: '[SEP]',
  mask_token: '[MASK]',
} as const

/** The part of a tokenizer.json for {@link BERT_TOKENS}: added tokens, `[CLS] A [SEP]`, and `[CLS] A [SEP] B [SEP]`. */
export const bertTemplate = (): Readonly<Record<string, unknown>> => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: addedTokens(BERT_TOKENS),
  post_processor: templateStep('[CLS] $A [SEP]', '[CLS] $A [SEP] $B:1 [SEP]:1', BERT_TOKENS),
})

/** Ids by token, as in a tokenizer.json. */
export const vocabularyOf = (tokens: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(tokens.map((content, id) => [content, id]))
