import { isRecord } from '@attune/core'
import type { AddedToken, DeclaredToken } from './added-ids.js'

type Config = Readonly<Record<string, unknown>>

/** Fields of a tokenizer_config.json that name special tokens. */
export const ROLES = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const

/** Maximum number of tokens of a configuration, and their maximum length. */
const [MOST_TOKENS, LONGEST] = [100_000, 10_000]

/** Text of a token: a string, or an object with its text and flags. */
export function contentOf(token: unknown): string | undefined {
  const content = isRecord(token) ? token['content'] : token
  return typeof content === 'string' ? content : undefined
}

/** A token with its flags; a special token is not normalized unless it says so. */
function declaredToken(token: unknown, id: number | undefined, isSpecial: boolean): DeclaredToken {
  const fields = isRecord(token) ? token : {}
  const flag = (name: string, otherwise: boolean): boolean =>
    typeof fields[name] === 'boolean' ? fields[name] : otherwise
  const special = isSpecial || flag('special', false)
  return {
    id,
    content: contentOf(token) ?? '',
    single_word: flag('single_word', false),
    lstrip: flag('lstrip', false),
    rstrip: flag('rstrip', false),
    normalized: flag('normalized', !special),
    special,
  }
}

/** Tokens of the field `added_tokens_decoder`, in the order of their ids. Those with a role are special. */
function decoderTokens(
  decoder: unknown,
  roles: ReadonlySet<string | undefined>,
  refuse: (why: string) => never,
): readonly DeclaredToken[] {
  if (decoder === undefined || decoder === null) return []
  if (!isRecord(decoder)) return refuse('at `added_tokens_decoder`, expected an object of tokens')
  const entries = Object.entries(decoder)
  if (entries.length > MOST_TOKENS)
    refuse(`at \`added_tokens_decoder\`, expected at most ${MOST_TOKENS} tokens, got ${entries.length}`)
  return entries
    .map(([id, token]) => {
      if (!/^\d{1,7}$/.test(id) || contentOf(token) === undefined || contentOf(token)!.length > LONGEST)
        refuse(`at \`added_tokens_decoder.${id.slice(0, 40)}\`, expected an id and a token with its \`content\``)
      return declaredToken(token, Number(id), roles.has(contentOf(token)))
    })
    .sort((a, b) => a.id! - b.id!)
}

/** The list of special tokens in a configuration, or an object of them. */
export function moreTokens(config: Config): unknown {
  const more = config['extra_special_tokens']
  return (Array.isArray(more) && more.length > 0) || isRecord(more) ? more : config['additional_special_tokens']
}

/** Special tokens of a model that the configuration names: in fields such as `image_token`, in a list, or in an object. */
export function modelTokens(config: Config): readonly unknown[] {
  const roles: readonly string[] = ROLES
  const more = moreTokens(config)
  const listed: readonly unknown[] = Array.isArray(more) ? more : isRecord(more) ? Object.values(more) : []
  const fields = Object.entries(config).filter(([key]) => key.endsWith('_token') && !roles.includes(key))
  return [...fields.map(([, token]) => token), ...listed].slice(0, MOST_TOKENS)
}

/** Special tokens that the configuration names. */
function namedTokens(config: Config): readonly unknown[] {
  return [...ROLES.map((role) => config[role]), ...modelTokens(config)].filter((token) => {
    const length = contentOf(token)?.length ?? 0
    return length > 0 && length <= LONGEST
  })
}

/**
 * Tokens that a tokenizer_config.json adds to those of the tokenizer.json, like transformers: all of its `added_tokens_decoder`,
 * whose flags take precedence, and the special tokens that it names and that are not added tokens yet. A token with a role is
 * special.
 * @throws by `refuse` if a token has no text or no id
 */
export function configTokens(
  config: Config,
  added: readonly AddedToken[],
  refuse: (why: string) => never,
): readonly DeclaredToken[] {
  const roles = new Set(ROLES.map((role) => contentOf(config[role])))
  const decoder = config['added_tokens_decoder']
  const decoded = decoder === undefined ? added : decoderTokens(decoder, roles, refuse)
  const named = namedTokens(config)
  const known = new Set([...added, ...decoded].map(({ content }) => content))
  const fresh = named.filter((token) => !known.has(contentOf(token)!))
  return [
    ...decoded.map((token) => ({ ...token, special: token.special || roles.has(token.content) })),
    ...fresh.map((token) => declaredToken(token, undefined, true)),
  ]
}
