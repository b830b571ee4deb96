import { readTokenizerFiles } from '#read-tokenizer-files'
import { AttuneError, type Side, type SpecialTokens, type Tokenizer } from '@attune/core'
import { characterSets } from './character-sets.js'
import { chatTemplatesOf } from './chat-templates-of.js'
import { decoderOf } from './decoder.js'
import { type ParsedFile, parseTokenizerFile } from './parse-tokenizer-file.js'
import { pipelineOf } from './pipeline.js'
import { templatesOf, trimOf, withoutSpecial } from './post-processor.js'
import type { ModelFile, TokenizerFile } from './schema.js'
import { fill } from './template.js'
import { TARGET_FILE, type TokenizerFiles } from './tokenizer-files.js'
import { workOnText, workOnTokens } from './work.js'

/** Where a tokenizer comes from: a path, or the contents of its files. */
export interface TokenizerSource {
  /** A tokenizer.json, or the folder that holds one or the files of an older checkpoint. */
  readonly path?: string | undefined
  /** The content of a tokenizer.json. */
  readonly json?: Readonly<Record<string, unknown>> | undefined
  /** The content of the tokenizer_config.json that belongs to it. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** Tokens to add to the vocabulary, found in texts as they stand; their ids come after all others. */
  readonly addedTokens?: readonly string[] | undefined
}

/** What a tokenizer is to be, whatever its file says. */
export interface TokenizerKind {
  /** The plugin's name, for errors. */
  readonly name: string
  /** The type of its model. */
  readonly type: ModelFile['type']
  /** What its tokenizer_config.json says where it has none, or does not say it: the tokens of roles, above all. */
  readonly config?: (file: TokenizerFile) => Readonly<Record<string, unknown>>
  /** Whether to tidy spaces before punctuation when decoding. */
  readonly cleanUp?: boolean
  /** Makes a text of tokens that are no special ones; default: as the file's decoder does. */
  readonly join?: (tokens: readonly string[]) => string
}

function filesOf({ path, json, config }: TokenizerSource, { name }: TokenizerKind): TokenizerFiles {
  if (path !== undefined) return readTokenizerFiles(path)
  if (json !== undefined) return { json, config: config ?? {}, where: 'option `json`' }
  throw new AttuneError(
    'NO_VOCABULARY',
    `tokenizer ${name}: there is neither a \`path\` nor a trained vocabulary`,
    "Name a tokenizer.json under `path`, or let the plugin's `fit` train one on the training examples.",
  )
}

const KEYS = {
  pad: 'pad_token',
  unknown: 'unk_token',
  begin: 'bos_token',
  end: 'eos_token',
  mask: 'mask_token',
} as const
const CLASSIFYING: Readonly<Record<string, string>> = { begin: 'cls_token', end: 'sep_token' }

/** The ids of the tokens that the configuration gives a role. */
function specialOf(config: TokenizerFiles['config'], ids: ReadonlyMap<string, number>): SpecialTokens {
  const named = (key: string | undefined): string | undefined => {
    const value = key === undefined ? undefined : config[key]
    const text = typeof value === 'object' && value !== null ? (value as { content?: unknown }).content : value
    return typeof text === 'string' ? text : undefined
  }
  return Object.fromEntries(
    Object.entries(KEYS).flatMap(([role, key]) => {
      const token = named(key) ?? named(CLASSIFYING[role])
      const id = token === undefined ? undefined : ids.get(token)
      return id === undefined ? [] : [[role, id]]
    }),
  )
}

/** The text of an id's token, by a function that remembers it; nothing for special tokens and for ids that no token has. */
function shownText({ added_tokens: added }: TokenizerFile, tokens: ReadonlyMap<number, string>, isJoined: boolean) {
  const special = added.filter((token) => token.special)
  const [ids, contents] = [new Set(special.map(({ id }) => id)), new Set(special.map(({ content }) => content))]
  // An added token goes before one of the vocabulary that has its id.
  const spelt = new Map(added.map(({ id, content }) => [id, content]))
  const known = new Map<number, string | null>()
  const textOf = (id: number, token: string): string | null => {
    if (isJoined) return ids.has(id) ? null : token
    const text = spelt.get(id) ?? token
    return contents.has(text) ? null : text
  }
  return (id: number): string | null => {
    const found = known.get(id)
    if (found !== undefined) return found
    const token = tokens.get(id)
    if (token === undefined) return null
    const text = textOf(id, token)
    known.set(id, text)
    return text
  }
}

/** Decodes ids, without those of special tokens and those that no token has, which the Rust library leaves out, too. */
function decodingOf(file: TokenizerFile, where: string, tokens: ReadonlyMap<number, string>, kind: TokenizerKind) {
  const { cleanUp = false, join } = kind
  const shown = shownText(file, tokens, join !== undefined)
  const decode = decoderOf(file, cleanUp, characterSets())
  return (given: ArrayLike<number>): string => {
    const work = workOnTokens(where, given.length)
    work.part = 'decoder'
    const texts: string[] = []
    let units = 0
    for (let at = 0; at < given.length; at++) {
      const text = shown(given[at]!)
      if (text === null) continue
      units += text.length
      texts.push(text)
    }
    work.spend(units / 4)
    if (join !== undefined) {
      work.hold(2 * units)
      return join(texts)
    }
    // Without a token there is nothing to decode, not even to an end of it.
    return texts.length === 0 ? '' : decode(texts, work)
  }
}

/** The ids of all tokens: those of the model, and those that were added. */
function idsOf({ file, vocabulary }: ParsedFile): Map<string, number> {
  const ids = new Map(vocabulary)
  for (const { content, id } of file.added_tokens) ids.set(content, id)
  return ids
}

/** The greatest id. */
function greatestOf(ids: ReadonlyMap<string, number>): number {
  let greatest = -1
  for (const id of ids.values()) greatest = Math.max(greatest, id)
  return greatest
}

/** The file with tokens added that it does not have. */
function withTokens(parsed: ParsedFile, tokens: readonly string[]): ParsedFile {
  if (tokens.length === 0) return parsed
  const { file, json, vocabulary } = parsed
  const ids = idsOf(parsed)
  const first = greatestOf(ids) + 1
  const fresh = [...new Set(tokens)].filter((token) => token !== '' && !ids.has(token))
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false }
  const added = [...file.added_tokens, ...fresh.map((content, i) => ({ id: first + i, content, ...flags }))]
  return fresh.length === 0
    ? parsed
    : { file: { ...file, added_tokens: added }, json: { ...json, added_tokens: added }, vocabulary }
}

const sideIn = (value: unknown): Side => (value === 'left' ? 'left' : 'right')

/** The tokenizer of what is to be written, where it is another one, and its file. */
function targetOf(json: unknown, source: TokenizerSource, config: TokenizerFiles['config'], kind: TokenizerKind) {
  const content = json as TokenizerFiles['config']
  const target = tokenizerOf({ ...source, path: undefined, json: content, config }, kind)
  return { tokenizer: { target }, files: { [TARGET_FILE]: target.files()['tokenizer.json'] } }
}

/** Cuts texts into tokens and puts them into the file's templates. */
function encoderOf(
  { file, vocabulary }: ParsedFile,
  where: string,
  ids: ReadonlyMap<string, number>,
  tokens: ReadonlyMap<number, string>,
  side: Side,
): Tokenizer['encode'] {
  const standing = new Set(file.added_tokens.map(({ id }) => id))
  const templates = templatesOf(file.post_processor, ids)
  const bare = withoutSpecial(templates)
  const trim = trimOf(file.post_processor, (id) => (standing.has(id) ? undefined : tokens.get(id)))
  const pipeline = pipelineOf(file, vocabulary)
  return (text, options = {}) => {
    const { pair, maximumLength, truncationSide = side, stride, addSpecialTokens = true } = options
    // What comes after the last token that can be kept need not be cut into tokens at all.
    const limit = truncationSide === 'left' || stride !== undefined || pair !== undefined ? undefined : maximumLength
    const work = workOnText(where, text, pair)
    const tokenized = (given: string) => {
      // Lone surrogates, which have no bytes, count as U+FFFD.
      const whole = given.toWellFormed()
      return { text: whole, tokens: pipeline(whole, work, limit) }
    }
    const second = pair === undefined ? undefined : tokenized(pair)
    const template = addSpecialTokens ? templates : bare
    return fill(template, tokenized(text), second, { ...options, truncationSide }, { trim, work })
  }
}

/**
 * The tokenizer of a `tokenizer.json`. What it does to a text, and to tokens, is bounded by their length: see
 * `docs/errors/BAD_TOKENIZER.md`.
 * @throws AttuneError `NO_VOCABULARY`, `FILE_NOT_FOUND`, `BAD_TOKENIZER`; its `encode` throws `BAD_STRIDE` and
 *   `BAD_TOKENIZER`, its `decode` `BAD_TOKENIZER`
 */
export function tokenizerOf(source: TokenizerSource, kind: TokenizerKind): Tokenizer {
  const { json: content, config: own, where, target: other } = filesOf(source, kind)
  const parsed = withTokens(parseTokenizerFile(content, where, kind.type), source.addedTokens ?? [])
  const { file, json } = parsed
  const config = { ...kind.config?.(file), ...own }
  const ids = idsOf(parsed)
  const tokens = new Map<number, string>()
  for (const [token, id] of ids) tokens.set(id, token)
  const truncationSide = sideIn(config['truncation_side'])
  const target = other === undefined ? undefined : targetOf(other, source, own, kind)
  return {
    vocabularySize: Math.max(0, greatestOf(ids)) + 1,
    special: specialOf(config, ids),
    paddingSide: sideIn(config['padding_side']),
    truncationSide,
    ...target?.tokenizer,
    ...chatTemplatesOf(config['chat_template']),
    encode: encoderOf(parsed, where, ids, tokens, truncationSide),
    decode: decodingOf(file, where, tokens, kind),
    id: (token) => ids.get(token),
    token: (id) => tokens.get(id),
    files: () => ({ 'tokenizer.json': json, 'tokenizer_config.json': config, ...target?.files }),
  }
}
