import { idsIn } from './byte-pair-files.js'
import type { Json, OlderFolder, OlderTokenizer, Standing } from './older-files.js'
import { PIECE, type SentencePieceFile, readSentencePiece } from './sentence-piece-file.js'

type Scored = readonly [piece: string, score: number]

/** Below what any way through a word costs: what has it is taken only where there is no other way. */
const LAST_RESORT = -10_000

const rulesOf = ({ rules }: SentencePieceFile): readonly Json[] =>
  rules === undefined ? [] : [{ type: 'Precompiled', precompiled_charsmap: rules }]
const sequence = (normalizers: readonly Json[]): Json | null =>
  normalizers.length === 0 ? null : { type: 'Sequence', normalizers }
const put = (text: string, content: string): Json => ({ type: 'Replace', pattern: { String: text }, content })

const METASPACE = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true }
const IN_WORDS = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, METASPACE] }

/** The pieces that stand in texts as they are: those that control, and those that users named. */
const standingIn = ({ pieces }: SentencePieceFile): readonly Standing[] =>
  pieces.flatMap(({ text: content, type }) =>
    type === PIECE.control || type === PIECE.userDefined ? [{ content, special: type === PIECE.control }] : [],
  )

function unigramOf(vocab: readonly Scored[], unknownId: number) {
  return {
    ids: new Map(vocab.map(([piece], id) => [piece, id])),
    model: { type: 'Unigram', unk_id: unknownId, vocab, byte_fallback: false },
    preTokenizer: IN_WORDS,
    decoder: METASPACE,
  }
}

const scored = ({ pieces }: SentencePieceFile): Scored[] => pieces.map(({ text, score }) => [text, score])

/** T5 has places to fill in after its pieces, counted backwards. */
function t5(file: SentencePieceFile, { config }: OlderFolder): OlderTokenizer {
  const count = typeof config['extra_ids'] === 'number' ? Math.min(1000, Math.max(0, config['extra_ids'])) : 100
  const extra = Array.from({ length: count }, (_, i) => `<extra_id_${count - 1 - i}>`)
  return {
    ...unigramOf([...scored(file), ...extra.map((token): Scored => [token, 0])], file.unknownId),
    normalizer: sequence(rulesOf(file)),
    roles: { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' },
    standing: [...standingIn(file), ...extra.map((content) => ({ content, special: true }))],
    template: ['$A eos_token', '$A eos_token $B eos_token'],
  }
}

/** XLM-R has its special tokens in another order than SentencePiece, and a mask after its pieces. */
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
    standing: [{ content: '<mask>', special: true, lstrip: true }],
    template: ['cls_token $A sep_token', 'cls_token $A sep_token sep_token $B sep_token'],
  }
}

/** ALBERT and XLNet cut numbers before a comma, so pieces that end in a digit and a comma are not to be taken. */
const withoutCommas = (file: SentencePieceFile): Scored[] =>
  scored(file).map(([piece, score]) => [piece, /\p{Nd},$/u.test(piece) ? score - 100 : score])

const plainly = (file: SentencePieceFile, { config }: OlderFolder, lowercase: boolean): Json | null =>
  sequence([
    put('``', '"'),
    put("''", '"'),
    ...(config['keep_accents'] === true ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
    ...(lowercase ? [{ type: 'Lowercase' }] : []),
    ...rulesOf(file),
  ])

const albert = (file: SentencePieceFile, folder: OlderFolder): OlderTokenizer => ({
  ...unigramOf(withoutCommas(file), file.unknownId),
  normalizer: plainly(file, folder, folder.config['do_lower_case'] !== false),
  roles: {
    bos_token: '[CLS]',
    eos_token: '[SEP]',
    unk_token: '<unk>',
    sep_token: '[SEP]',
    pad_token: '<pad>',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  },
  standing: standingIn(file),
  template: ['cls_token $A sep_token', 'cls_token $A sep_token $B:1 sep_token:1'],
})

const xlnet = (file: SentencePieceFile, folder: OlderFolder): OlderTokenizer => ({
  ...unigramOf(withoutCommas(file), file.unknownId),
  normalizer: plainly(file, folder, folder.config['do_lower_case'] === true),
  roles: {
    bos_token: '<s>',
    eos_token: '</s>',
    unk_token: '<unk>',
    sep_token: '<sep>',
    pad_token: '<pad>',
    cls_token: '<cls>',
    mask_token: '<mask>',
  },
  standing: standingIn(file).map((token) => (token.content === '<mask>' ? { ...token, lstrip: true } : token)),
  template: ['$A sep_token cls_token:2', '$A sep_token $B:1 sep_token:1 cls_token:2'],
})

const FAMILIES: Readonly<Record<string, (file: SentencePieceFile, folder: OlderFolder) => OlderTokenizer>> = {
  t5,
  mt5: t5,
  albert,
  xlnet,
  xlmroberta: xlmRoberta,
}

/** The file of SentencePiece of a name. @throws AttuneError `BAD_TOKENIZER` */
export function sentencePieceIn(folder: OlderFolder, name: string): SentencePieceFile {
  const file = readSentencePiece(folder.bytes(name))
  return 'refused' in file ? folder.refuse(`${name}: ${file.refused}`) : file
}

/** The tokenizer of a unigram model of SentencePiece; each family has special tokens and templates of its own. */
export function fromPieces(folder: OlderFolder, file: SentencePieceFile): OlderTokenizer {
  const { family } = folder
  const make = Object.hasOwn(FAMILIES, family) ? FAMILIES[family] : undefined
  if (make !== undefined && file.algorithm === 'unigram') return make(file, folder)
  return folder.refuse(
    `it is a ${file.algorithm} model of SentencePiece for ${family}; known are those of ${Object.keys(FAMILIES).join(', ')}`,
  )
}

/**
 * The tokenizer of Marian: pieces are found by the scores of one language's SentencePiece file, and have the ids of a
 * vocabulary that both languages share. What only the other language has is taken where there is no other way.
 */
export function fromTwoLanguages(folder: OlderFolder, name: 'source.spm' | 'target.spm'): OlderTokenizer {
  const file = sentencePieceIn(folder, name)
  const ids = idsIn(folder, 'vocab.json')
  const scores = new Map(file.pieces.flatMap(({ text, score, type }) => (type === PIECE.normal ? [[text, score]] : [])))
  const vocab: Scored[] = [...ids]
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => [token, scores.get(token) ?? LAST_RESORT])
  if (vocab.some(([token], id) => ids.get(token) !== id)) folder.refuse('vocab.json leaves ids out')
  const codes = [...ids.keys()].filter((token) => /^>>.*<<$/.test(token))
  return {
    ...unigramOf(vocab, ids.get('<unk>') ?? folder.refuse('vocab.json has no <unk>')),
    normalizer: sequence(rulesOf(file)),
    // SentencePiece itself, which transformers runs for Marian, knows no space but this one.
    preTokenizer: { type: 'Sequence', pretokenizers: [{ type: 'CharDelimiterSplit', delimiter: ' ' }, METASPACE] },
    roles: { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' },
    standing: codes.map((content) => ({ content, special: false })),
    template: ['$A eos_token', '$A $B eos_token'],
  }
}
