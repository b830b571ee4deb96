import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError } from '@attune/core'
import { ggufTokenizer } from '../gguf-tokenizer.js'
import { fromVocabularyAndMerges } from './byte-pair-files.js'
import { type Json, type OlderFolder, asTokenizerFiles } from './older-files.js'
import { fromPieces, fromTwoLanguages, sentencePieceIn } from './pieces.js'
import { PIECE, type SentencePieceFile } from './sentence-piece-file.js'
import { fromVocabularyText } from './word-vocabulary.js'

const MAXIMUM_BYTES = 64 * 1024 * 1024
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

function openFolder(path: string, config: Json): OlderFolder {
  const refuse = (why: string): never => {
    throw new AttuneError(
      'BAD_TOKENIZER',
      `${path} has no tokenizer that can be read: ${why}`,
      'Save the tokenizer with the tokenizers library, which writes a tokenizer.json, and put that into the folder.',
    )
  }
  const bytes = (name: string): Uint8Array => {
    const file = join(path, name)
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? refuse(`there is no ${name}`)
    return size > MAXIMUM_BYTES ? refuse(`${name} has ${size} bytes, more than ${MAXIMUM_BYTES}`) : readFileSync(file)
  }
  const json = (name: string): Json => {
    if (!existsSync(join(path, name))) return {}
    try {
      const content: unknown = JSON.parse(Buffer.from(bytes(name)).toString())
      return typeof content === 'object' && content !== null && !Array.isArray(content) ? (content as Json) : {}
    } catch (cause) {
      return refuse(`${name}: ${(cause as Error).message}`)
    }
  }
  const given = { ...json('special_tokens_map.json'), ...config }
  const written = given['tokenizer_class'] ?? json('config.json')['model_type'] ?? ''
  const family = String(written)
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

/**
 * Reads the tokenizer of an older checkpoint, which has no tokenizer.json: a `vocab.txt` (WordPiece), a `vocab.json` with a
 * `merges.txt` (byte-level BPE), a file of SentencePiece, or two of them with a `vocab.json` (Marian).
 * @param config the content of the tokenizer_config.json
 * @returns undefined if the folder has none of these
 * @throws AttuneError `BAD_TOKENIZER` if they cannot be read, or belong to a family that is not known
 */
export function readOlderTokenizer(path: string, config: Json): OlderContents | undefined {
  const has = (...names: readonly string[]): boolean => names.every((name) => existsSync(join(path, name)))
  const folder = openFolder(path, config)
  if (has('source.spm', 'target.spm', 'vocab.json')) {
    if (config['separate_vocabs'] === true) folder.refuse('its two languages have vocabularies of their own')
    const target = asTokenizerFiles(folder, fromTwoLanguages(folder, 'target.spm')).json
    const { json, config: said } = asTokenizerFiles(folder, fromTwoLanguages(folder, 'source.spm'))
    // Its own class reads no tokenizer.json.
    return { json, target, config: { ...said, tokenizer_class: 'PreTrainedTokenizerFast' } }
  }
  const pieces = PIECES.find((name) => has(name))
  if (pieces !== undefined) {
    const file = sentencePieceIn(folder, pieces)
    if (file.algorithm === 'bpe') return fromBytePairPieces(folder, file)
    return asTokenizerFiles(folder, fromPieces(folder, file))
  }
  if (has('vocab.json', 'merges.txt')) return asTokenizerFiles(folder, fromVocabularyAndMerges(folder))
  return has('vocab.txt') ? asTokenizerFiles(folder, fromVocabularyText(folder)) : undefined
}
