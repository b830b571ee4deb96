/** The content of a JSON file that is an object. */
export type Json = Readonly<Record<string, unknown>>

/** A token of a role or one that stands in texts as it is, as a tokenizer.json declares it. */
export interface Standing {
  readonly content: string
  readonly special: boolean
  /** Whether it takes the spaces on its left along. */
  readonly lstrip?: boolean
}

/** What a kind of older tokenizer makes of its files. */
export interface OlderTokenizer {
  /** The `model` of a tokenizer.json. */
  readonly model: Json
  /** The ids of its tokens. */
  readonly ids: ReadonlyMap<string, number>
  readonly normalizer: Json | null
  readonly preTokenizer: Json
  readonly decoder: Json
  /** What stands around a text and around two, in words: `[CLS] $A [SEP]`. Names of roles stand for their tokens. */
  readonly template?: readonly [single: string, pair: string]
  /** A `post_processor` that is no template. */
  readonly postProcessor?: (idOf: (role: string) => readonly [token: string, id: number]) => Json
  /** The tokens of roles where the folder's configuration does not say others. */
  readonly roles: Readonly<Record<string, string>>
  readonly standing?: readonly Standing[]
}

/** The files of an older checkpoint that tell of its tokenizer. */
export interface OlderFolder {
  /** What the `tokenizer_config.json` says, and before it the `special_tokens_map.json`. */
  readonly config: Json
  /** The family of models: the class of the tokenizer, or the type of the model, in small letters without signs. */
  readonly family: string
  readonly where: string
  /** The bytes of a file. */
  bytes(name: string): Uint8Array
  /** @throws AttuneError `BAD_TOKENIZER` with the folder */
  refuse(why: string): never
}

const ROLES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'] as const

const contentOf = (value: unknown): string | undefined =>
  typeof value === 'string'
    ? value
    : typeof value === 'object' && value !== null && typeof (value as Json)['content'] === 'string'
      ? ((value as Json)['content'] as string)
      : undefined

/** The tokens of roles, by the names of a tokenizer_config.json. */
function rolesOf({ config }: OlderFolder, { roles }: OlderTokenizer): ReadonlyMap<string, unknown> {
  const said = ROLES.flatMap((role) => (contentOf(config[role]) === undefined ? [] : [[role, config[role]] as const]))
  return new Map<string, unknown>([...Object.entries(roles), ...said])
}

/** Tokens that the configuration adds, by id where it gives one. */
function addedIn({ config }: OlderFolder): readonly (readonly [token: unknown, id: number | undefined])[] {
  const { additional_special_tokens: more, added_tokens_decoder: decoder } = config
  return [
    ...(Array.isArray(more) ? (more as unknown[]) : []).map((token) => [token, undefined] as const),
    ...Object.entries(typeof decoder === 'object' && decoder !== null ? decoder : {}).map(
      ([id, token]) => [token as unknown, Number(id)] as const,
    ),
  ]
}

/** A token as a tokenizer.json declares it; `given` is its text, or what a configuration says of it. */
function declared(given: unknown, id: number, otherwise: Partial<Standing>): Json {
  const said = typeof given === 'object' ? (given as Json) : {}
  const flag = (name: string, value: boolean): boolean => (typeof said[name] === 'boolean' ? said[name] : value)
  return {
    id,
    content: contentOf(given),
    single_word: flag('single_word', false),
    lstrip: flag('lstrip', otherwise.lstrip ?? false),
    rstrip: flag('rstrip', false),
    normalized: flag('normalized', false),
    special: flag('special', otherwise.special ?? true),
  }
}

function addedTokens(folder: OlderFolder, made: OlderTokenizer, roles: ReadonlyMap<string, unknown>): readonly Json[] {
  const { ids, standing = [] } = made
  const found = new Map<string, Json>()
  let next = ids.size
  const add = (given: unknown, id: number | undefined, otherwise: Partial<Standing>): void => {
    const content = contentOf(given)
    if (content === undefined || content === '' || (found.has(content) && id === undefined)) return
    const known = found.get(content)?.['id'] as number | undefined
    const place = ids.get(content) ?? id ?? known ?? next
    next = Math.max(next, place + 1)
    found.set(content, declared(given, place, otherwise))
  }
  for (const token of standing) add(token.content, undefined, token)
  for (const [role, token] of roles) {
    const byDefault = made.standing?.find(({ content }) => content === contentOf(token))
    if (byDefault !== undefined) found.delete(byDefault.content)
    // The mask takes the space before it along in families of RoBERTa: what is masked is a word with its space.
    add(token, undefined, { special: true, lstrip: role === 'mask_token' && byDefault?.lstrip === true })
  }
  for (const [token, id] of addedIn(folder)) add(token, id, {})
  return [...found.values()].sort((a, b) => Number(a['id']) - Number(b['id']))
}

/** A template written as the Hugging Face library writes it; roles stand for their tokens. */
function templateOf(
  [single, pair]: readonly [string, string],
  idOf: (role: string) => readonly [token: string, id: number],
): Json {
  const piece = (written: string): Json => {
    const [name = '', type = '0'] = written.split(':')
    return name.startsWith('$')
      ? { Sequence: { id: name.slice(1), type_id: Number(type) } }
      : { SpecialToken: { id: idOf(name)[0], type_id: Number(type) } }
  }
  const used = [...new Set(pair.split(' ').flatMap((part) => (part.startsWith('$') ? [] : [part.split(':')[0]!])))]
  return {
    type: 'TemplateProcessing',
    single: single.split(' ').map(piece),
    pair: pair.split(' ').map(piece),
    special_tokens: Object.fromEntries(
      used.map(idOf).map(([token, id]) => [token, { id: token, ids: [id], tokens: [token] }]),
    ),
  }
}

/** The contents of the tokenizer.json and the tokenizer_config.json that say what the files of an older checkpoint say. */
export function asTokenizerFiles(
  folder: OlderFolder,
  made: OlderTokenizer,
): { readonly json: Json; readonly config: Json } {
  const roles = rolesOf(folder, made)
  const added = addedTokens(folder, made, roles)
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
