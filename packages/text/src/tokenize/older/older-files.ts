/** Content of a JSON file with an object. */
export type Json = Readonly<Record<string, unknown>>

/** An added or special token. */
export interface AddedToken {
  readonly content: string
  readonly special: boolean
  /** True to include the spaces on its left in a match. */
  readonly lstrip?: boolean
}

/** A tokenizer read from older files, in terms of a tokenizer.json. */
export interface OlderTokenizer {
  /** The `model` of a tokenizer.json. */
  readonly model: Json
  /** Ids of its tokens. */
  readonly ids: ReadonlyMap<string, number>
  readonly normalizer: Json | null
  readonly preTokenizer: Json
  readonly decoder: Json
  /** Templates of a text and of a pair, such as `[CLS] $A [SEP]`. Role names stand for their tokens. */
  readonly template?: readonly [single: string, pair: string]
  /** A `post_processor` other than a template. */
  readonly postProcessor?: (idOf: (role: string) => readonly [token: string, id: number]) => Json
  /** Default special tokens, by role. */
  readonly roles: Readonly<Record<string, string>>
  readonly addedTokens?: readonly AddedToken[]
}

/** Tokenizer files of an older checkpoint. */
export interface OlderFolder {
  /** Content of `tokenizer_config.json`, which takes precedence over `special_tokens_map.json`. */
  readonly config: Json
  /** Model family: tokenizer class or model type, in lower case, letters and digits only. */
  readonly family: string
  readonly where: string
  /** Reads the bytes of a file. */
  bytes(name: string): Uint8Array
  /** @throws AttuneError `BAD_TOKENIZER` that names the folder */
  refuse(why: string): never
}

const ROLES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'] as const

const contentOf = (value: unknown): string | undefined =>
  typeof value === 'string'
    ? value
    : typeof value === 'object' && value !== null && typeof (value as Json)['content'] === 'string'
      ? ((value as Json)['content'] as string)
      : undefined

/** Special tokens by role, with the names of a tokenizer_config.json. */
function rolesOf({ config }: OlderFolder, { roles }: OlderTokenizer): ReadonlyMap<string, unknown> {
  const fields = ROLES.flatMap((role) => (contentOf(config[role]) === undefined ? [] : [[role, config[role]] as const]))
  return new Map<string, unknown>([...Object.entries(roles), ...fields])
}

/** Tokens that the configuration adds, with their ids where given. */
function addedIn({ config }: OlderFolder): readonly (readonly [token: unknown, id: number | undefined])[] {
  const { additional_special_tokens: more, added_tokens_decoder: decoder } = config
  return [
    ...(Array.isArray(more) ? (more as unknown[]) : []).map((token) => [token, undefined] as const),
    ...Object.entries(typeof decoder === 'object' && decoder !== null ? decoder : {}).map(
      ([id, token]) => [token as unknown, Number(id)] as const,
    ),
  ]
}

/** A token as declared in a tokenizer.json; `given` is its text, or an object of the configuration. */
function declared(token: unknown, id: number, otherwise: Partial<AddedToken>): Json {
  const fields = typeof token === 'object' ? (token as Json) : {}
  const flag = (name: string, value: boolean): boolean => (typeof fields[name] === 'boolean' ? fields[name] : value)
  return {
    id,
    content: contentOf(token),
    single_word: flag('single_word', false),
    lstrip: flag('lstrip', otherwise.lstrip ?? false),
    rstrip: flag('rstrip', false),
    normalized: flag('normalized', false),
    special: flag('special', otherwise.special ?? true),
  }
}

function addedTokensOf(
  folder: OlderFolder,
  made: OlderTokenizer,
  roles: ReadonlyMap<string, unknown>,
): readonly Json[] {
  const { ids, addedTokens = [] } = made
  const found = new Map<string, Json>()
  let next = ids.size
  const add = (token: unknown, id: number | undefined, otherwise: Partial<AddedToken>): void => {
    const content = contentOf(token)
    if (content === undefined || content === '' || (found.has(content) && id === undefined)) return
    const known = found.get(content)?.['id'] as number | undefined
    const assigned = ids.get(content) ?? id ?? known ?? next
    next = Math.max(next, assigned + 1)
    found.set(content, declared(token, assigned, otherwise))
  }
  for (const token of addedTokens) add(token.content, undefined, token)
  for (const [role, token] of roles) {
    const byDefault = made.addedTokens?.find(({ content }) => content === contentOf(token))
    if (byDefault !== undefined) found.delete(byDefault.content)
    // In RoBERTa families the mask token includes the preceding space: a masked word has one.
    add(token, undefined, { special: true, lstrip: role === 'mask_token' && byDefault?.lstrip === true })
  }
  for (const [token, id] of addedIn(folder)) add(token, id, {})
  return [...found.values()].sort((a, b) => Number(a['id']) - Number(b['id']))
}

/** A template in the notation of the tokenizers library; role names stand for their tokens. */
function templateOf(
  [single, pair]: readonly [string, string],
  idOf: (role: string) => readonly [token: string, id: number],
): Json {
  const itemOf = (written: string): Json => {
    const [name = '', type = '0'] = written.split(':')
    return name.startsWith('$')
      ? { Sequence: { id: name.slice(1), type_id: Number(type) } }
      : { SpecialToken: { id: idOf(name)[0], type_id: Number(type) } }
  }
  const used = [...new Set(pair.split(' ').flatMap((part) => (part.startsWith('$') ? [] : [part.split(':')[0]!])))]
  return {
    type: 'TemplateProcessing',
    single: single.split(' ').map(itemOf),
    pair: pair.split(' ').map(itemOf),
    special_tokens: Object.fromEntries(
      used.map(idOf).map(([token, id]) => [token, { id: token, ids: [id], tokens: [token] }]),
    ),
  }
}

/** Converts the files of an older checkpoint to the contents of tokenizer.json and tokenizer_config.json. */
export function asTokenizerFiles(
  folder: OlderFolder,
  made: OlderTokenizer,
): { readonly json: Json; readonly config: Json } {
  const roles = rolesOf(folder, made)
  const added = addedTokensOf(folder, made, roles)
  const ids = new Map([
    ...made.ids,
    ...added.map((token) => [token['content'] as string, token['id'] as number] as const),
  ])
  const idOf = (role: string): readonly [token: string, id: number] => {
    const token = contentOf(roles.get(role)) ?? role
    return [token, ids.get(token) ?? folder.refuse(`its vocabulary has no ${token}`)]
  }
  const { template, postProcessor } = made
  return {
    json: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: made.normalizer,
      pre_tokenizer: made.preTokenizer,
      post_processor: template === undefined ? (postProcessor?.(idOf) ?? null) : templateOf(template, idOf),
      decoder: made.decoder,
      model: made.model,
    },
    config: { ...Object.fromEntries(roles), ...folder.config },
  }
}
