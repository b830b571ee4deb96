import { AttuneError, type Side, type SpecialTokens, type Tokenizer } from '@attune/core'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { chatTemplatesOf } from './chat-templates.js'
import { modelTypeOf } from './model-type.js'
import { pipelineOf } from './pipeline.js'
import { templatesOf, trimOf, withoutSpecial } from './post-processor.js'
import { TARGET_FILE, type TokenizerFiles, readTokenizerFiles } from './read-tokenizer-files.js'
import { type ModelFile, type TokenizerFile, tokenizerFileSchema } from './schema.js'
import { fill } from './template.js'

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

/** The tokens of a model with their ids. */
const entriesOf = (model: TokenizerFile['model']): (readonly [string, number])[] =>
  model.type === 'Unigram' ? model.vocab.map(([token], id) => [token, id]) : Object.entries(model.vocab)

/**
 * Checks the content of a `tokenizer.json`.
 * @param where what to call it in errors
 * @throws AttuneError `BAD_TOKENIZER` if its model is of another type, or it asks for what is not allowed.
 */
export function parseTokenizerFile(content: unknown, where: string, type: ModelFile['type']): TokenizerFile {
  const refuse = (why: string): never => {
    throw new AttuneError(
      'BAD_TOKENIZER',
      `${where} is not a ${type} tokenizer that can be loaded: ${why}`,
      `Use the tokenizer.json of a model of that type, or another tokenizer plugin.`,
    )
  }
  const found = modelTypeOf(content)
  if (found !== type)
    refuse(`at \`model.type\`, it is ${found === undefined ? 'not to be told' : JSON.stringify(found.slice(0, 80))}`)
  const { model: said, ...rest } = content as { readonly model: object }
  const parsed = tokenizerFileSchema.safeParse({ ...rest, model: { ...said, type } })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return refuse(`at \`${issue?.path.join('.') ?? ''}\`, ${issue?.message ?? ''}`)
  }
  const { model } = parsed.data
  const ids = entriesOf(model).map(([, id]) => id)
  if (new Set(ids).size !== ids.length) refuse('two tokens of its vocabulary have the same id')
  if ((model.type === 'WordPiece' || model.type === 'WordLevel') && !Object.hasOwn(model.vocab, model.unk_token))
    refuse(`its vocabulary lacks the unknown token "${model.unk_token}"`)
  if (model.type === 'Unigram' && model.vocab[model.unk_id ?? 0] === undefined)
    refuse(`its vocabulary has no token ${model.unk_id ?? 0}, which is to be the unknown one`)
  return parsed.data
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

/**
 * Decodes as the library does, and leaves out ids without a token, as the Rust library does. The library is given what was
 * checked, without the steps that only encoding needs: it does not know all of them.
 */
function decoderOf(
  file: TokenizerFile,
  tokens: ReadonlyMap<number, string>,
  { cleanUp = false, join }: TokenizerKind,
): Tokenizer['decode'] {
  const special = new Set(file.added_tokens.flatMap((token) => (token.special ? [token.id] : [])))
  if (join !== undefined)
    return (ids) => join(Array.from(ids).flatMap((id) => (special.has(id) ? [] : (tokens.get(id) ?? []))))
  const steps = { decoder: file.decoder ?? null, normalizer: null, pre_tokenizer: null, post_processor: null }
  const library = new HuggingFaceTokenizer({ ...file, ...steps }, {})
  const how = { skip_special_tokens: true, clean_up_tokenization_spaces: cleanUp }
  return (ids) => {
    const known = Array.from(ids).filter((id) => tokens.has(id))
    // The library refuses to decode nothing.
    return known.length === 0 ? '' : library.decode(known, how)
  }
}

/** The file with tokens added that it does not have. */
function withTokens(file: TokenizerFile, json: object, tokens: readonly string[]) {
  const ids = new Map([...entriesOf(file.model), ...file.added_tokens.map(({ content, id }) => [content, id] as const)])
  const first = [...ids.values()].reduce((most, id) => Math.max(most, id), -1) + 1
  const fresh = [...new Set(tokens)].filter((token) => token !== '' && !ids.has(token))
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false }
  const added = [...file.added_tokens, ...fresh.map((content, i) => ({ id: first + i, content, ...flags }))]
  return fresh.length === 0
    ? { file, json }
    : { file: { ...file, added_tokens: added }, json: { ...json, added_tokens: added } }
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
  file: TokenizerFile,
  vocabulary: ReadonlyMap<string, number>,
  ids: ReadonlyMap<string, number>,
  side: Side,
): Tokenizer['encode'] {
  const tokens = new Map([...ids].map(([token, id]) => [id, token]))
  const standing = new Set(file.added_tokens.map(({ id }) => id))
  const templates = templatesOf(file.post_processor, ids)
  const bare = withoutSpecial(templates)
  const trim = trimOf(file.post_processor, (id) => (standing.has(id) ? undefined : tokens.get(id)))
  const pipeline = pipelineOf(file, vocabulary)
  return (text, options = {}) => {
    const { pair, maximumLength, truncationSide = side, stride, addSpecialTokens = true } = options
    // What comes after the last token that can be kept need not be cut into tokens at all.
    const limit = truncationSide === 'left' || stride !== undefined || pair !== undefined ? undefined : maximumLength
    const tokenized = (given: string) => {
      // Lone surrogates, which have no bytes, count as U+FFFD.
      const whole = given.toWellFormed()
      return { text: whole, tokens: pipeline(whole, limit) }
    }
    const second = pair === undefined ? undefined : tokenized(pair)
    return fill(addSpecialTokens ? templates : bare, tokenized(text), second, { ...options, truncationSide }, trim)
  }
}

/**
 * The tokenizer of a `tokenizer.json`. Encoding is Attune's own, for the `@huggingface/tokenizers` library gives no offsets and
 * takes several times as long; decoding is that library's.
 * @throws AttuneError `NO_VOCABULARY`, `FILE_NOT_FOUND`, `BAD_TOKENIZER`; its `encode` throws `BAD_STRIDE`
 */
export function tokenizerOf(source: TokenizerSource, kind: TokenizerKind): Tokenizer {
  const { json: content, config: own, where, target: other } = filesOf(source, kind)
  const parsed = parseTokenizerFile(content, where, kind.type)
  const { file, json } = withTokens(parsed, content as object, source.addedTokens ?? [])
  const config = { ...kind.config?.(file), ...own }
  const vocabulary = new Map(entriesOf(file.model))
  const added = file.added_tokens.map(({ content, id }) => [content, id] as const)
  const ids = new Map([...vocabulary, ...added])
  const tokens = new Map([...ids].map(([token, id]) => [id, token]))
  const decode = decoderOf(file, tokens, kind)
  const truncationSide = sideIn(config['truncation_side'])
  const target = other === undefined ? undefined : targetOf(other, source, own, kind)
  return {
    vocabularySize: [...tokens.keys()].reduce((most, id) => Math.max(most, id), 0) + 1,
    special: specialOf(config, ids),
    paddingSide: sideIn(config['padding_side']),
    truncationSide,
    ...target?.tokenizer,
    ...chatTemplatesOf(config['chat_template']),
    encode: encoderOf(file, vocabulary, ids, truncationSide),
    decode,
    id: (token) => ids.get(token),
    token: (id) => tokens.get(id),
    files: () => ({ 'tokenizer.json': json, 'tokenizer_config.json': config, ...target?.files }),
  }
}
