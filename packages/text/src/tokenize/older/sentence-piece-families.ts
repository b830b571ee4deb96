import { idsIn } from './byte-pair-files.js'
import type { Json, OlderFolder, OlderTokenizer, AddedToken } from './older-files.js'
import { TOKEN_TYPE, type SentencePieceFile, readSentencePiece } from './sentence-piece-file.js'

type Scored = readonly [token: string, score: number]

/** A score below that of any other segmentation: tokens with it are used only if there is no alternative. */
const LAST_RESORT = -10_000

const rulesOf = ({ rules }: SentencePieceFile): readonly Json[] =>
  rules === undefined ? [] : [{ type: 'Precompiled', precompiled_charsmap: rules }]
const sequence = (normalizers: readonly Json[]): Json | null =>
  normalizers.length === 0 ? null : { type: 'Sequence', normalizers }
const put = (text: string, content: string): Json => ({ type: 'Replace', pattern: { String: text }, content })

const METASPACE = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true }
const IN_WORDS = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, METASPACE] }

/** Added tokens: control symbols and user-defined symbols. */
const addedTokensIn = ({ tokens }: SentencePieceFile): readonly AddedToken[] =>
  tokens.flatMap(({ text: content, type }) =>
    type === TOKEN_TYPE.control || type === TOKEN_TYPE.userDefined
      ? [{ content, special: type === TOKEN_TYPE.control }]
      : [],
  )

function unigramOf(vocab: readonly Scored[], unknownId: number) {
  return {
    ids: new Map(vocab.map(([token], id) => [token, id])),
    model: { type: 'Unigram', unk_id: unknownId, vocab, byte_fallback: false },
    preTokenizer: IN_WORDS,
    decoder: METASPACE,
  }
}

const scored = ({ tokens }: SentencePieceFile): Scored[] => tokens.map(({ text, score }) => [text, score])

/** T5 has sentinel tokens after its subwords, numbered backwards. */
function t5(file: SentencePieceFile, { config }: OlderFolder): OlderTokenizer {
  const count = typeof config['extra_ids'] === 'number' ? Math.min(1000, Math.max(0, config['extra_ids'])) : 100
  const extra = Array.from({ length: count }, (_, i) => `<extra_id_${count - 1 - i}>`)
  return {
    ...unigramOf([...scored(file), ...extra.map((token): Scored => [token, 0])], file.unknownId),
    normalizer: sequence(rulesOf(file)),
    roles: { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' },
    addedTokens: [...addedTokensIn(file), ...extra.map((content) => ({ content, special: true }))],
    template: ['$A eos_token', '$A eos_token $B eos_token'],
  }
}

/** XLM-R orders its special tokens differently from SentencePiece, and has a mask token at the end. */
function xlmRoberta(file: SentencePieceFile): OlderTokenizer {
  const special: Scored[] = ['<s>', '<pad>', '</s>', '<unk>'].map((token) => [token, 0])
  return {
    ...unigramOf([...special, ...scored(file).slice(3), ['<mask>', 0]], 3),
    normalizer: sequence(rulesOf(file)),
    roles: {
      bos_token: '<s>',
      eos_token: '</s>',
      sep_token: '</s>',
      cls_token: '<s>',
      unk_token: '<unk>',
      pad_token: '<pad>',
      mask_token: '<mask>',
    },
    addedTokens: [{ content: '<mask>', special: true, lstrip: true }],
    template: ['cls_token $A sep_token', 'cls_token $A sep_token sep_token $B sep_token'],
  }
}

/** ALBERT and XLNet split numbers before a comma. Tokens that end in a digit and a comma get a penalty, to be avoided. */
const withoutCommas = (file: SentencePieceFile): Scored[] =>
  scored(file).map(([token, score]) => [token, /\p{Nd},$/u.test(token) ? score - 100 : score])

const albertNormalizer = (file: SentencePieceFile, { config }: OlderFolder, lowercase: boolean): Json | null =>
  sequence([
    put('``', '"'),
    put("''", '"'),
    ...(config['keep_accents'] === true ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
    ...(lowercase ? [{ type: 'Lowercase' }] : []),
    ...rulesOf(file),
  ])

const albert = (file: SentencePieceFile, folder: OlderFolder): OlderTokenizer => ({
  ...unigramOf(withoutCommas(file), file.unknownId),
  normalizer: albertNormalizer(file, folder, folder.config['do_lower_case'] !== false),
  roles: {
    bos_token: '[CLS]',
    eos_token: '[SEP]',
    unk_token: '<unk>',
    sep_token: '[SEP]',
    pad_token: '<pad>',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  },
  addedTokens: addedTokensIn(file),
  template: ['cls_token $A sep_token', 'cls_token $A sep_token $B:1 sep_token:1'],
})

const xlnet = (file: SentencePieceFile, folder: OlderFolder): OlderTokenizer => ({
  ...unigramOf(withoutCommas(file), file.unknownId),
  normalizer: albertNormalizer(file, folder, folder.config['do_lower_case'] === true),
  roles: {
    bos_token: '<s>',
    eos_token: '</s>',
    unk_token: '<unk>',
    sep_token: '<sep>',
    pad_token: '<pad>',
    cls_token: '<cls>',
    mask_token: '<mask>',
  },
  addedTokens: addedTokensIn(file).map((token) => (token.content === '<mask>' ? { ...token, lstrip: true } : token)),
  template: ['$A sep_token cls_token:2', '$A sep_token $B:1 sep_token:1 cls_token:2'],
})

const FAMILIES: Readonly<Record<string, (file: SentencePieceFile, folder: OlderFolder) => OlderTokenizer>> = {
  t5,
  mt5: t5,
  albert,
  xlnet,
  xlmroberta: xlmRoberta,
}

/** Reads a SentencePiece file of the folder. @throws AttuneError `BAD_TOKENIZER` */
export function sentencePieceIn(folder: OlderFolder, name: string): SentencePieceFile {
  const file = readSentencePiece(folder.bytes(name))
  return 'refused' in file ? folder.refuse(`${name}: ${file.refused}`) : file
}

/** Tokenizer of a unigram SentencePiece model; special tokens and templates depend on the family. */
export function fromSentencePiece(folder: OlderFolder, file: SentencePieceFile): OlderTokenizer {
  const { family } = folder
  const make = Object.hasOwn(FAMILIES, family) ? FAMILIES[family] : undefined
  if (make !== undefined && file.algorithm === 'unigram') return make(file, folder)
  return folder.refuse(
    `a ${file.algorithm} SentencePiece model of ${family} is not supported; expected one of ${Object.keys(FAMILIES).join(', ')}`,
  )
}

/**
 * Tokenizer of Marian: scores come from the SentencePiece file of one language, ids from a vocabulary shared by both. Tokens
 * that only the other language has are used only if there is no alternative.
 */
export function fromMarian(folder: OlderFolder, name: 'source.spm' | 'target.spm'): OlderTokenizer {
  const file = sentencePieceIn(folder, name)
  const ids = idsIn(folder, 'vocab.json')
  const scores = new Map(
    file.tokens.flatMap(({ text, score, type }) => (type === TOKEN_TYPE.normal ? [[text, score]] : [])),
  )
  const vocab: Scored[] = [...ids]
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => [token, scores.get(token) ?? LAST_RESORT])
  if (vocab.some(([token], id) => ids.get(token) !== id)) folder.refuse('vocab.json: ids are not consecutive')
  const codes = [...ids.keys()].filter((token) => /^>>.*<<$/.test(token))
  return {
    ...unigramOf(vocab, ids.get('<unk>') ?? folder.refuse('vocab.json has no <unk>')),
    normalizer: sequence(rulesOf(file)),
    // SentencePiece itself, which transformers runs for Marian, splits only at this space.
    preTokenizer: { type: 'Sequence', pretokenizers: [{ type: 'CharDelimiterSplit', delimiter: ' ' }, METASPACE] },
    roles: { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' },
    addedTokens: codes.map((content) => ({ content, special: false })),
    template: ['$A eos_token', '$A $B eos_token'],
  }
}
