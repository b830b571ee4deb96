import { AttuneError } from '@attune/core'
import { byteLevelSections, preTokenizerIn } from './gguf/byte-level.js'
import { type Metadata, type Refuse, type Sections, TOKEN_TYPE, metadataSchema } from './gguf/metadata.js'
import { SPACE_MARKED } from './gguf/pre-tokenizers.js'
import { type SpaceBefore, sentencePieceSections, spaceMarkedSections } from './gguf/sentence-piece.js'
import { unigramSections, unigramTokens } from './gguf/unigram.js'
import { wordPieceSections, wordPieceTokens } from './gguf/word-piece.js'

type Json = Readonly<Record<string, unknown>>
type Role = 'bos' | 'eos' | 'unknown' | 'padding' | 'seperator' | 'cls' | 'mask'

/** Ids of the special tokens of T5 and of the tokens of BERT, where the file does not say them. */
const DEFAULT_IDS: Readonly<Record<string, Partial<Record<Role, number>>>> = {
  t5: { eos: 1, unknown: 2, padding: 0 },
}
const BERT_TOKENS: Partial<Record<Role, string>> = {
  cls: '[CLS]',
  seperator: '[SEP]',
  unknown: '[UNK]',
  padding: '[PAD]',
  mask: '[MASK]',
}

/** Creates a lookup of the ids of special tokens, by role. */
function idsOf(metadata: Metadata, tokens: readonly string[]): (role: Role) => number | undefined {
  const model = metadata['tokenizer.ggml.model']
  return (role) => {
    const named = model === 'bert' ? BERT_TOKENS[role] : undefined
    const found = named === undefined ? -1 : tokens.indexOf(named)
    const id =
      metadata[`tokenizer.ggml.${role}_token_id`] ?? DEFAULT_IDS[model]?.[role] ?? (found < 0 ? undefined : found)
    return id === undefined || tokens[id] === undefined ? undefined : id
  }
}

/** The post-processor that adds the BOS and EOS tokens, if the file asks for them; for BERT, `[CLS]` and `[SEP]`. */
function templateOf(
  metadata: Metadata,
  tokens: readonly string[],
  idOf: ReturnType<typeof idsOf>,
  { begins, ends }: Sections,
): object | null {
  const model = metadata['tokenizer.ggml.model']
  const isBert = model === 'bert'
  const [first, last] = isBert ? [idOf('cls') ?? idOf('bos'), idOf('seperator')] : [idOf('bos'), idOf('eos')]
  const adds = (name: 'bos' | 'eos', otherwise: boolean): boolean =>
    isBert || (metadata[`tokenizer.ggml.add_${name}_token`] ?? otherwise)
  const tokenItem = (at: number | undefined, wanted: boolean, type: number): object[] =>
    at !== undefined && wanted ? [{ SpecialToken: { id: tokens[at], type_id: type } }] : []
  const around = (name: 'A' | 'B', type: number): object[] => [
    ...tokenItem(first, adds('bos', begins) && model !== 'gemma4' && !(isBert && name === 'B'), type),
    { Sequence: { id: name, type_id: type } },
    ...tokenItem(last, adds('eos', ends), type),
  ]
  const [single, second] = [around('A', 0), around('B', 1)]
  if (single.length === 1) return null
  const known = [first, last].filter((at) => at !== undefined)
  const special = Object.fromEntries(
    known.map((at) => [tokens[at]!, { id: tokens[at], ids: [at], tokens: [tokens[at]] }]),
  )
  return { type: 'TemplateProcessing', single, pair: [...single, ...second], special_tokens: special }
}

/** Special tokens and the chat template, as in a tokenizer_config.json. */
function configOf(metadata: Metadata, tokens: readonly string[], idOf: ReturnType<typeof idsOf>): Json {
  const named = (role: Role): string | undefined => tokens[idOf(role) ?? -1]
  const config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: named('bos'),
    eos_token: named('eos'),
    unk_token: named('unknown'),
    pad_token: named('padding'),
    cls_token: named('cls'),
    sep_token: named('seperator'),
    mask_token: named('mask'),
    chat_template: metadata['tokenizer.chat_template'],
  }
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
}

/** Special tokens of Phi-3 that do not include the spaces on their right. */
const PHI3_KEEPS_SPACES = new Set(['<unk>', '<s>', '<|endoftext|>'])

/** Added tokens: control, unknown and user-defined tokens, and the sentinel tokens of T5. */
function addedTokensOf(metadata: Metadata, tokens: readonly string[], stripsLeft: readonly string[]): object[] {
  const types = metadata['tokenizer.ggml.token_type'] ?? []
  const isPhi3 = /phi-?3/i.test(metadata['general.name'] ?? '')
  const isT5 = metadata['tokenizer.ggml.model'] === 't5'
  return tokens.flatMap((content, id) => {
    const type = types[id]
    const special =
      type === TOKEN_TYPE.control || type === TOKEN_TYPE.unknown || (isT5 && /^<extra_id_\d+>$/.test(content))
    if (!special && type !== TOKEN_TYPE.userDefined) return []
    const [lstrip, rstrip] = [stripsLeft.includes(content), isPhi3 && !PHI3_KEEPS_SPACES.has(content)]
    return [{ id, content, single_word: false, lstrip, rstrip, normalized: false, special }]
  })
}

/** The tokens of a file as its tokenizer.json would spell them, and the sections that depend on its model. */
function sectionsOf(metadata: Metadata, refuse: Refuse, error: (why: string) => AttuneError, spaceBefore: SpaceBefore) {
  const tokens = metadata['tokenizer.ggml.tokens']
  const isMarked = SPACE_MARKED.has(metadata['tokenizer.ggml.pre'] ?? '')
  switch (metadata['tokenizer.ggml.model']) {
    case 'llama':
      return { tokens, sections: sentencePieceSections(metadata, error, spaceBefore), stripsLeft: [] }
    case 'gemma4':
      return { tokens, sections: spaceMarkedSections(metadata), stripsLeft: [] }
    case 'bert': {
      const own = wordPieceTokens(metadata)
      return { tokens: own, sections: wordPieceSections(metadata, own), stripsLeft: [] }
    }
    case 't5': {
      const own = unigramTokens(metadata)
      return { tokens: own, sections: unigramSections(metadata, own), stripsLeft: [] }
    }
    case 'gpt2':
      if (isMarked) return { tokens, sections: spaceMarkedSections(metadata), stripsLeft: [] }
      return {
        tokens,
        sections: byteLevelSections(metadata, refuse),
        stripsLeft: preTokenizerIn(metadata, refuse).stripsLeft ?? [],
      }
  }
}

/**
 * Converts the metadata of a GGUF file to the contents of `tokenizer.json` and `tokenizer_config.json`. Supports byte-level BPE
 * with the pre-tokenizers of most models, the BPE models of SentencePiece as in Llama 2, Mistral and Gemma, WordPiece as in BERT,
 * and unigram as in T5.
 * @param where the file, for errors
 * @param spaceBefore where a BPE model of SentencePiece adds a space. Default: as SentencePiece and llama.cpp do, before each text
 * @throws AttuneError `BAD_TOKENIZER` if the file has no tokenizer, or an unsupported one
 */
export function ggufTokenizer(content: Json, where: string, spaceBefore: SpaceBefore = 'each') {
  const error = (why: string): AttuneError =>
    new AttuneError(
      'BAD_TOKENIZER',
      `${where} has no tokenizer that can be loaded: ${why}`,
      'Put the tokenizer.json of the model into the same folder.',
    )
  const refuse = (why: string): never => {
    throw error(why)
  }
  const parsed = metadataSchema.safeParse(content)
  const [issue] = parsed.error?.issues ?? []
  if (!parsed.success) return refuse(`at \`${issue?.path.join('.') ?? ''}\`, ${issue?.message ?? ''}`)
  const metadata = parsed.data
  const { tokens, sections, stripsLeft } = sectionsOf(metadata, refuse, error, spaceBefore)
  const idOf = idsOf(metadata, tokens)
  const vocab = Object.fromEntries(tokens.map((token, at) => [token, at]))
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokensOf(metadata, tokens, stripsLeft),
    normalizer: sections.normalizer,
    pre_tokenizer: sections.pre_tokenizer,
    post_processor: templateOf(metadata, tokens, idOf, sections),
    decoder: sections.decoder,
    // A unigram model has its own vocabulary, with scores.
    model: { vocab, ...sections.model },
  }
  return { json, config: configOf(metadata, tokens, idOf) }
}
