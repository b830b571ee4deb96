import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, isRecord } from '@attune/core'
import { ggufTokenizer } from '../gguf-tokenizer.js'
import { type RequireInside, readJsonFile, readRegularFile } from '../regular-file.js'
import { fromVocabularyAndMerges } from './byte-pair-files.js'
import { type Json, type OlderFolder, asTokenizerFiles } from './older-files.js'
import { fromPieces, fromTwoLanguages, sentencePieceIn } from './pieces.js'
import { PIECE, type SentencePieceFile } from './sentence-piece-file.js'
import { fromVocabularyText } from './word-vocabulary.js'

/** Bytes of a vocabulary and of what else a checkpoint says at most. */
const [MAXIMUM_BYTES, MAXIMUM_CONFIG_BYTES] = [64 * 1024 * 1024, 8 * 1024 * 1024]
/** What files of SentencePiece are called. */
const PIECES = ['spiece.model', 'sentencepiece.bpe.model', 'sentencepiece.model', 'tokenizer.model'] as const

/** What the files of an older checkpoint say of its tokenizer, as newer files say it. */
export interface OlderContents {
  /** The content of a tokenizer.json. */
  readonly json: Json
  /** That for texts that the model is to write, where they are cut in another way. */
  readonly target?: Json
  /** The content of a tokenizer_config.json. */
  readonly config: Json
}

function openFolder(path: string, config: Json, requireInside: RequireInside): OlderFolder {
  const refuse = (why: string): never => {
    throw new AttuneError(
      'BAD_TOKENIZER',
      `${path} has no tokenizer that can be read: ${why}`,
      'Save the tokenizer with the tokenizers library, which writes a tokenizer.json, and put that into the folder.',
    )
  }
  const because = (name: string) => (why: string) => refuse(`${name}: ${why}`)
  const bytes = (name: string): Uint8Array => readRegularFile(join(path, name), MAXIMUM_BYTES, because(name))
  const json = (name: string): Json => {
    const file = join(path, name)
    if (!existsSync(file)) return {}
    const content = readJsonFile(file, MAXIMUM_CONFIG_BYTES, because(name))
    return isRecord(content) ? content : {}
  }
  const special = 'special_tokens_map.json'
  if (existsSync(join(path, special))) requireInside(join(path, special), because(special))
  const given = { ...json(special), ...config }
  const written = given['tokenizer_class'] ?? json('config.json')['model_type'] ?? ''
  const family = (typeof written === 'string' ? written : '')
    .replace(/Tokenizer(Fast)?$/, '')
    .replace(/[^a-z0-9]/gi, '')
    .toLowerCase()
  return { config: given, family, where: path, bytes, refuse }
}

/** Llama's kin, whose SentencePiece files are of the kind that GGUF files keep. */
function fromBytePairPieces(folder: OlderFolder, file: SentencePieceFile): OlderContents {
  const flag = (name: string, otherwise: boolean): boolean =>
    typeof folder.config[name] === 'boolean' ? folder.config[name] : otherwise
  const id = (name: string, value: number): Json => (value < 0 ? {} : { [`tokenizer.ggml.${name}_token_id`]: value })
  const { json, config } = ggufTokenizer(
    {
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': file.pieces.map(({ text }) => text),
      'tokenizer.ggml.scores': file.pieces.map(({ score }) => score),
      'tokenizer.ggml.token_type': file.pieces.map(({ type }) => (type === PIECE.unknown ? PIECE.control : type)),
      'tokenizer.ggml.add_bos_token': flag('add_bos_token', true),
      'tokenizer.ggml.add_eos_token': flag('add_eos_token', false),
      'tokenizer.ggml.add_space_prefix': file.addsSpaceBefore,
      ...id('bos', file.beginId),
      ...id('eos', file.endId),
      ...id('unknown', file.unknownId),
      ...id('padding', file.padId),
    },
    folder.where,
  )
  return { json: json as Json, config: { ...config, ...folder.config } }
}

const TWO_LANGUAGES = ['source.spm', 'target.spm', 'vocab.json'] as const
const BYTE_LEVEL = ['vocab.json', 'merges.txt'] as const

/** The vocabulary that {@link readOlderTokenizer} reads: the name of its first file. */
function vocabularyIn(path: string): string | undefined {
  const has = (...names: readonly string[]): boolean => names.every((name) => existsSync(join(path, name)))
  if (has(...TWO_LANGUAGES)) return TWO_LANGUAGES[0]
  const pieces = PIECES.find((name) => has(name))
  if (pieces !== undefined) return pieces
  if (has(...BYTE_LEVEL)) return BYTE_LEVEL[0]
  return has('vocab.txt') ? 'vocab.txt' : undefined
}

/** The path of the file that holds the vocabulary of an older checkpoint; undefined if there is none. */
export function olderVocabulary(path: string): string | undefined {
  const name = vocabularyIn(path)
  return name === undefined ? undefined : join(path, name)
}

/**
 * Reads the tokenizer of an older checkpoint, which has no tokenizer.json but what {@link olderVocabulary} finds: a `vocab.txt`
 * (WordPiece), a `vocab.json` with a `merges.txt` (byte-level BPE), a file of SentencePiece, or two of them with a `vocab.json`
 * (Marian).
 * @param config the content of the tokenizer_config.json
 * @param requireInside refuses files that lie elsewhere
 * @throws AttuneError `BAD_TOKENIZER` if they cannot be read, or belong to a family that is not known
 */
export function readOlderTokenizer(path: string, config: Json, requireInside: RequireInside): OlderContents {
  const folder = openFolder(path, config, requireInside)
  const vocabulary = vocabularyIn(path)
  if (vocabulary === TWO_LANGUAGES[0]) {
    if (config['separate_vocabs'] === true) folder.refuse('its two languages have vocabularies of their own')
    const target = asTokenizerFiles(folder, fromTwoLanguages(folder, 'target.spm')).json
    const { json, config: said } = asTokenizerFiles(folder, fromTwoLanguages(folder, 'source.spm'))
    // Its own class reads no tokenizer.json.
    return { json, target, config: { ...said, tokenizer_class: 'PreTrainedTokenizerFast' } }
  }
  if (vocabulary === BYTE_LEVEL[0]) return asTokenizerFiles(folder, fromVocabularyAndMerges(folder))
  if (vocabulary === undefined || vocabulary === 'vocab.txt')
    return asTokenizerFiles(folder, fromVocabularyText(folder))
  const file = sentencePieceIn(folder, vocabulary)
  if (file.algorithm === 'bpe') return fromBytePairPieces(folder, file)
  return asTokenizerFiles(folder, fromPieces(folder, file))
}
