import { readTokenizerFiles } from '#read-tokenizer-files'
import { AttuneError, type Side, type SpecialTokens, type Tokenizer, isRecord } from '@attune/core'
import { type DeclaredToken, addTokens } from './added-ids.js'
import { characterSets } from './character-sets.js'
import { chatTemplatesOf } from './chat-templates-of.js'
import { withClassOptions } from './class-options.js'
import { configTokens } from './config-tokens.js'
import { decoderOf } from './decoder.js'
import { normalizedTokens } from './normalized-tokens.js'
import { type ParsedFile, idProblem, parseTokenizerFile, sizeOf } from './parse-tokenizer-file.js'
import { pipelineOf } from './pipeline.js'
import { templatesOf, trimOf, withoutSpecial } from './post-processor.js'
import type { ModelFile, TokenizerFile } from './schema.js'
import { requireIds, requireText } from './require-input.js'
import { fill } from './template.js'
import { TARGET_FILE, type TokenizerFiles } from './tokenizer-files.js'
import { workOnText, workOnTokens } from './work.js'

/** Source of a tokenizer: a path, or the contents of its files. */
export interface TokenizerSource {
  /** A tokenizer.json, or a folder with one or with the files of an older checkpoint. */
  readonly path?: string | undefined
  /** Content of a tokenizer.json. */
  readonly json?: Readonly<Record<string, unknown>> | undefined
  /** Content of the tokenizer_config.json that belongs to it. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** Tokens to add to the vocabulary; they are matched verbatim in texts, and their ids follow all others. */
  readonly addedTokens?: readonly string[] | undefined
}

/** Properties of a tokenizer that its plugin defines. */
export interface TokenizerKind {
  /** Name of the plugin, for errors. */
  readonly name: string
  /** Type of its model. */
  readonly type: ModelFile['type']
  /** Defaults for the tokenizer_config.json, above all its special tokens. */
  readonly config?: (file: TokenizerFile) => Readonly<Record<string, unknown>>
  /** True to clean up spaces before punctuation when decoding. */
  readonly cleanUp?: boolean
  /** Joins tokens to a text, without special tokens. Default: the file's decoder. */
  readonly join?: (tokens: readonly string[]) => string
}

function filesOf({ path, json, config }: TokenizerSource, { name }: TokenizerKind): TokenizerFiles {
  if (path !== undefined) return readTokenizerFiles(path)
  if (json !== undefined) return { json, config: config ?? {}, where: 'option `json`' }
  throw new AttuneError(
    'NO_VOCABULARY',
    `tokenizer ${name}: expected a \`path\` or a trained vocabulary, got neither`,
    "Set `path` to a tokenizer.json, or call the plugin's `fit` to train a vocabulary on the training examples.",
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

/** Ids of the special tokens in the configuration, by role. */
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

/** Creates a cached lookup of the text to decode for an id; null for special tokens and unknown ids. */
function textLookup(file: TokenizerFile, tokens: ReadonlyMap<number, string>, isJoined: boolean) {
  const { added_tokens: added } = file
  const special = added.filter((token) => token.special)
  const [ids, contents] = [new Set(special.map(({ id }) => id)), new Set(special.map(({ content }) => content))]
  // An added token takes precedence over a vocabulary entry with the same id, and is decoded from its normalized form.
  const addedTexts = new Map([...added, ...normalizedTokens(file)].map(({ id, content }) => [id, content]))
  const known = new Map<number, string | null>()
  const textOf = (id: number, token: string): string | null => {
    if (isJoined) return ids.has(id) ? null : token
    const text = addedTexts.get(id) ?? token
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

/** True to clean up spaces when decoding: if the configuration says so, except for BPE, as in transformers. */
const cleansUp = ({ model }: TokenizerFile, config: TokenizerFiles['config'], kind: TokenizerKind): boolean =>
  config[CLEANS_UP] === undefined || config[CLEANS_UP] === null
    ? kind.cleanUp === true
    : config[CLEANS_UP] === true && model.type !== 'BPE'
const CLEANS_UP = 'clean_up_tokenization_spaces'

/** Decodes ids. Skips special tokens and unknown ids, like the Rust library. */
function decodingOf(
  file: TokenizerFile,
  config: TokenizerFiles['config'],
  where: string,
  tokens: ReadonlyMap<number, string>,
  kind: TokenizerKind,
) {
  const { join } = kind
  const shown = textLookup(file, tokens, join !== undefined)
  const isClip = String(config['tokenizer_class']).startsWith('CLIPTokenizer')
  const decode = decoderOf(file, { cleanUp: cleansUp(file, config, kind), endsWords: isClip }, characterSets())
  return (tokenIds: ArrayLike<number>): string => {
    requireIds(tokenIds, where)
    const work = workOnTokens(where, tokenIds.length)
    work.part = 'decoder'
    const texts: string[] = []
    let units = 0
    for (let at = 0; at < tokenIds.length; at++) {
      const text = shown(tokenIds[at]!)
      if (text === null) continue
      units += text.length
      texts.push(text)
    }
    work.spend(units / 4)
    if (join !== undefined) {
      work.hold(2 * units)
      return join(texts)
    }
    // Without tokens there is nothing to decode, not even a suffix.
    return texts.length === 0 ? '' : decode(texts, work)
  }
}

/** Ids of all tokens: those of the model and the added ones. */
function idsOf({ file, vocabulary }: ParsedFile): Map<string, number> {
  const ids = new Map(vocabulary)
  for (const { content, id } of file.added_tokens) ids.set(content, id)
  return ids
}

/** Maximum id; −1 if there are none. */
function maximumId(ids: ReadonlyMap<string, number>): number {
  let maximum = -1
  for (const id of ids.values()) maximum = Math.max(maximum, id)
  return maximum
}

/** Adds tokens to a file. */
function withDeclared(parsed: ParsedFile, declared: readonly DeclaredToken[]): ParsedFile {
  if (declared.length === 0) return parsed
  const { file, json, vocabulary } = parsed
  const added = [...addTokens(file.added_tokens, declared, vocabulary, sizeOf(file.model, vocabulary))]
  if (JSON.stringify(added) === JSON.stringify(file.added_tokens)) return parsed
  return { file: { ...file, added_tokens: added }, json: { ...json, added_tokens: added }, vocabulary }
}

/** Adds tokens without flags to a file, except those that it has already. */
function withTokens(parsed: ParsedFile, tokens: readonly string[]): ParsedFile {
  const ids = idsOf(parsed)
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false }
  const fresh = tokens.filter((token) => token !== '' && !ids.has(token))
  return withDeclared(
    parsed,
    fresh.map((content) => ({ content, ...flags })),
  )
}

/** Adds the tokens of the tokenizer_config.json to a file. */
function withConfigTokens(parsed: ParsedFile, config: TokenizerFiles['config'], where: string): ParsedFile {
  const refuse = (why: string): never => {
    throw new AttuneError(
      'BAD_TOKENIZER',
      `the configuration of ${where} cannot be used: ${why}`,
      'Download the tokenizer_config.json again, or save the tokenizer with transformers.',
    )
  }
  const made = withDeclared(parsed, configTokens(config, parsed.file.added_tokens, refuse))
  const problem = idProblem(made.file, made.vocabulary)
  return problem === undefined ? made : refuse(problem)
}

const sideIn = (value: unknown): Side => (/^left$/i.test(String(value)) ? 'left' : 'right')

/** Configuration with the sides and the padding token of a tokenizer.json, where it lacks them. */
function withDefaults(
  config: TokenizerFiles['config'],
  { padding, truncation }: TokenizerFile,
): TokenizerFiles['config'] {
  const [pad, truncated] = [padding, truncation].map((section) => (isRecord(section) ? section : {})) as [Json, Json]
  const found = { padding_side: pad['direction'], pad_token: pad['pad_token'], truncation_side: truncated['direction'] }
  return { ...found, ...config }
}
type Json = TokenizerFiles['config']

/** The target tokenizer, if the texts to be generated have their own, and its file. */
function targetOf(json: unknown, source: TokenizerSource, config: TokenizerFiles['config'], kind: TokenizerKind) {
  const content = json as TokenizerFiles['config']
  const target = tokenizerOf({ ...source, path: undefined, json: content, config }, kind)
  return { tokenizer: { target }, files: { [TARGET_FILE]: target.files()['tokenizer.json'] } }
}

/** Creates the `encode` function: tokenizes texts and applies the file's templates. */
function encoderOf(
  { file, vocabulary }: ParsedFile,
  where: string,
  ids: ReadonlyMap<string, number>,
  tokens: ReadonlyMap<number, string>,
  { side, splitsSpecial }: { readonly side: Side; readonly splitsSpecial: boolean },
): Tokenizer['encode'] {
  const added = new Set(file.added_tokens.map(({ id }) => id))
  const templates = templatesOf(file.post_processor, ids)
  const bare = withoutSpecial(templates)
  const trim = trimOf(file.post_processor, (id) => (added.has(id) ? undefined : tokens.get(id)))
  const pipeline = pipelineOf(file, vocabulary, splitsSpecial)
  return (text, options = {}) => {
    const { pair, maximumLength, truncationSide = side, stride, addSpecialTokens = true } = options
    requireText(text, where)
    if (pair !== undefined) requireText(pair, where)
    // Tokens beyond the limit are dropped anyway, so they need not be computed.
    const limit = truncationSide === 'left' || stride !== undefined || pair !== undefined ? undefined : maximumLength
    const work = workOnText(where, text, pair)
    const tokenized = (input: string) => {
      // Lone surrogates have no UTF-8 encoding and count as U+FFFD.
      const whole = input.toWellFormed()
      return { text: whole, tokens: pipeline(whole, work, limit) }
    }
    const second = pair === undefined ? undefined : tokenized(pair)
    const template = addSpecialTokens ? templates : bare
    return fill(template, tokenized(text), second, { ...options, truncationSide }, { trim, work })
  }
}

/**
 * Creates a tokenizer from a `tokenizer.json` or the files of an older checkpoint. The cost of encoding and decoding is bounded
 * by the length of the input: see `docs/errors/BAD_TOKENIZER.md`.
 * @throws AttuneError `NO_VOCABULARY`, `FILE_NOT_FOUND`, `BAD_TOKENIZER`; its `encode` throws `BAD_STRIDE` and
 *   `BAD_TOKENIZER`, its `decode` `BAD_TOKENIZER`
 *
 * @example
 * ```ts
 * import { tokenizerOf } from '@attune/text'
 * const json = {
 *   pre_tokenizer: { type: 'Whitespace' },
 *   model: { type: 'WordLevel', vocab: { '[UNK]': 0, a: 1, cat: 2 }, unk_token: '[UNK]' },
 * }
 * const tokenizer = tokenizerOf({ json }, { name: 'word', type: 'WordLevel' })
 * console.log(tokenizer.encode('a cat sat').ids) // [ 1, 2, 0 ]
 * ```
 */
export function tokenizerOf(source: TokenizerSource, kind: TokenizerKind): Tokenizer {
  const { json: content, config: own, where, target: other } = filesOf(source, kind)
  const read = withConfigTokens(parseTokenizerFile(withClassOptions(content, own), where, kind.type), own, where)
  const parsed = withTokens(read, source.addedTokens ?? [])
  const { file, json } = parsed
  const config = { ...kind.config?.(file), ...own }
  const defaults = withDefaults(config, file)
  const ids = idsOf(parsed)
  const tokens = new Map<number, string>()
  for (const [token, id] of ids) tokens.set(id, token)
  const truncationSide = sideIn(defaults['truncation_side'])
  const target = other === undefined ? undefined : targetOf(other, source, own, kind)
  return {
    vocabularySize: Math.max(0, maximumId(ids)) + 1,
    special: specialOf(defaults, ids),
    paddingSide: sideIn(defaults['padding_side']),
    truncationSide,
    ...target?.tokenizer,
    ...chatTemplatesOf(config['chat_template']),
    encode: encoderOf(parsed, where, ids, tokens, {
      side: truncationSide,
      splitsSpecial: config['split_special_tokens'] === true,
    }),
    decode: decodingOf(file, config, where, tokens, kind),
    id: (token) => ids.get(token),
    token: (id) => tokens.get(id),
    files: () => ({ 'tokenizer.json': json, 'tokenizer_config.json': config, ...target?.files }),
  }
}
