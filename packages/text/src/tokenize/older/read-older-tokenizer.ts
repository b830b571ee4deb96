import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, isRecord } from '@attune/core'
import { ggufTokenizer } from '../gguf-tokenizer.js'
import { type RequireInside, readJsonFile, readRegularFile } from '../regular-file.js'
import { fromVocabularyAndMerges } from './byte-pair-files.js'
import { type Json, type OlderFolder, asTokenizerFiles } from './older-files.js'
import { fromSentencePiece, fromMarian, sentencePieceIn } from './sentence-piece-families.js'
import { TOKEN_TYPE, type SentencePieceFile } from './sentence-piece-file.js'
import { fromVocabularyText } from './word-vocabulary.js'

/** Maximum size in bytes of a vocabulary and of a configuration file. */
const [MAXIMUM_BYTES, MAXIMUM_CONFIG_BYTES] = [64 * 1024 * 1024, 8 * 1024 * 1024]
/** Names of SentencePiece files. */
const SENTENCE_PIECE_FILES = [
  'spiece.model',
  'sentencepiece.bpe.model',
  'sentencepiece.model',
  'tokenizer.model',
] as const

/** Contents of newer files, converted from an older checkpoint. */
export interface OlderContents {
  /** Content of a tokenizer.json. */
  readonly json: Json
  /** Content of the target tokenizer, if the texts to be generated have their own. */
  readonly target?: Json
  /** Content of a tokenizer_config.json. */
  readonly config: Json
}

function openFolder(path: string, config: Json, requireInside: RequireInside): OlderFolder {
  const refuse = (why: string): never => {
    throw new AttuneError(
      'BAD_TOKENIZER',
      `${path} has no tokenizer that can be loaded: ${why}`,
      'Save the tokenizer as a tokenizer.json with the tokenizers library, and put that into the folder.',
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
  const merged = { ...json(special), ...config }
  const className = merged['tokenizer_class'] ?? json('config.json')['model_type'] ?? ''
  const family = (typeof className === 'string' ? className : '')
    .replace(/Tokenizer(Fast)?$/, '')
    .replace(/[^a-z0-9]/gi, '')
    .toLowerCase()
  return { config: merged, family, where: path, bytes, refuse }
}

/** Byte-pair SentencePiece model as in Llama, with the same content as in GGUF files. It adds spaces as transformers does. */
function fromSentencePieceBpe(folder: OlderFolder, file: SentencePieceFile): OlderContents {
  const flag = (name: string, otherwise: boolean): boolean =>
    typeof folder.config[name] === 'boolean' ? folder.config[name] : otherwise
  const id = (name: string, value: number): Json => (value < 0 ? {} : { [`tokenizer.ggml.${name}_token_id`]: value })
  const { json, config } = ggufTokenizer(
    {
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': file.tokens.map(({ text }) => text),
      'tokenizer.ggml.scores': file.tokens.map(({ score }) => score),
      'tokenizer.ggml.token_type': file.tokens.map(({ type }) =>
        type === TOKEN_TYPE.unknown ? TOKEN_TYPE.control : type,
      ),
      'tokenizer.ggml.add_bos_token': flag('add_bos_token', true),
      'tokenizer.ggml.add_eos_token': flag('add_eos_token', false),
      'tokenizer.ggml.add_space_prefix': file.addsSpaceBefore,
      ...id('bos', file.beginId),
      ...id('eos', file.endId),
      ...id('unknown', file.unknownId),
      ...id('padding', file.padId),
    },
    folder.where,
    'first',
  )
  return { json: json as Json, config: { ...config, ...folder.config } }
}

const MARIAN_FILES = ['source.spm', 'target.spm', 'vocab.json'] as const
const BYTE_LEVEL_FILES = ['vocab.json', 'merges.txt'] as const

/** Name of the first vocabulary file that {@link readOlderTokenizer} reads. */
function vocabularyIn(path: string): string | undefined {
  const has = (...names: readonly string[]): boolean => names.every((name) => existsSync(join(path, name)))
  if (has(...MARIAN_FILES)) return MARIAN_FILES[0]
  const sentencePiece = SENTENCE_PIECE_FILES.find((name) => has(name))
  if (sentencePiece !== undefined) return sentencePiece
  if (has(...BYTE_LEVEL_FILES)) return BYTE_LEVEL_FILES[0]
  return has('vocab.txt') ? 'vocab.txt' : undefined
}

/** Path of the vocabulary file of an older checkpoint; undefined if there is none. */
export function olderVocabulary(path: string): string | undefined {
  const name = vocabularyIn(path)
  return name === undefined ? undefined : join(path, name)
}

/**
 * Reads the tokenizer of an older checkpoint without a tokenizer.json, from the files that {@link olderVocabulary} finds: a
 * `vocab.txt` (WordPiece), a `vocab.json` with a `merges.txt` (byte-level BPE), a SentencePiece file, or two of them with a
 * `vocab.json` (Marian).
 * @param config content of the tokenizer_config.json
 * @param requireInside rejects files outside the folder
 * @throws AttuneError `BAD_TOKENIZER` if they cannot be read, or belong to an unsupported family
 */
export function readOlderTokenizer(path: string, config: Json, requireInside: RequireInside): OlderContents {
  const folder = openFolder(path, config, requireInside)
  const vocabulary = vocabularyIn(path)
  if (vocabulary === MARIAN_FILES[0]) {
    if (config['separate_vocabs'] === true)
      folder.refuse('separate vocabularies of source and target are not supported')
    const target = asTokenizerFiles(folder, fromMarian(folder, 'target.spm')).json
    const { json, config: base } = asTokenizerFiles(folder, fromMarian(folder, 'source.spm'))
    // The tokenizer class of Marian reads no tokenizer.json.
    return { json, target, config: { ...base, tokenizer_class: 'PreTrainedTokenizerFast' } }
  }
  if (vocabulary === BYTE_LEVEL_FILES[0]) return asTokenizerFiles(folder, fromVocabularyAndMerges(folder))
  if (vocabulary === undefined || vocabulary === 'vocab.txt')
    return asTokenizerFiles(folder, fromVocabularyText(folder))
  const file = sentencePieceIn(folder, vocabulary)
  if (file.algorithm === 'bpe') return fromSentencePieceBpe(folder, file)
  return asTokenizerFiles(folder, fromSentencePiece(folder, file))
}
