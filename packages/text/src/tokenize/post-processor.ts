import { AttuneError } from '@attune/core'
import { z } from 'zod'
import { isSmall, listOf, recordOf, small, stepsOf } from './bulk.js'
import { BYTE_CHARACTERS } from './byte-level.js'
import { isWhiteSpace } from './characters.js'
import { stepsIn } from './steps-in.js'
import type { TemplateItem, Templates, Trim } from './template.js'

const token = z.string().max(1000)
const id = z.int().min(0).max(2_000_000)

/** Type id. XLNet uses type 2 for `<cls>`. */
const typeId = z.int().min(0).max(15)

/** An item of a template: a special token or a text. */
const item = z.union([
  z.strictObject({ SpecialToken: z.strictObject({ id: token, type_id: typeId }) }),
  z.strictObject({ Sequence: z.strictObject({ id: z.enum(['A', 'B']), type_id: typeId }) }),
])
const template = listOf(item, 64)
const tokenIds = z.object({ ids: z.array(id).min(1).max(16) })
/** Ids of the special tokens in a template, by name. */
const specialTokens = recordOf<z.output<typeof tokenIds>>((value, name) => {
  if (name.length > 1000 || !isSmall(value)) return 'it is too long'
  return tokenIds.safeParse(value).error?.issues[0]?.message
}, 1000)
const around = { sep: z.tuple([token, id]), cls: z.tuple([token, id]) }
const trims = { trim_offsets: z.boolean(), add_prefix_space: z.boolean() }
const step = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('TemplateProcessing'),
    single: template.refine((items) => !items.some((each) => 'Sequence' in each && each.Sequence.id === 'B'), {
      message: 'expected no second text in the template of a single text',
    }),
    pair: template,
    special_tokens: specialTokens,
  }),
  z.object({ type: z.literal('BertProcessing'), ...around }),
  z.object({ type: z.literal('RobertaProcessing'), ...around, ...trims }),
  z.object({ type: z.literal('ByteLevel'), ...trims, use_regex: small }),
])

/** Schema of `post_processor` in a `tokenizer.json`. */
export const postProcessorSchema = stepsOf('processors', step, 8).refine(
  (section) => stepsIn<Step>(section).filter(({ type }) => type !== 'ByteLevel').length <= 1,
  { message: 'expected at most one step that adds special tokens' },
)

type Step = z.output<typeof step>

const text = (name: 'A' | 'B', type: number): TemplateItem => ({ text: name, type })
/** Templates without special tokens. */
export const bareTemplates: Templates = { single: [text('A', 0)], pair: [text('A', 0), text('B', 1)] }

function unknownToken(name: string): never {
  throw new AttuneError(
    'BAD_TOKENIZER',
    `at \`post_processor\`, expected a token in \`special_tokens\`, got ${JSON.stringify(name.slice(0, 80))}`,
    'Add the token and its ids to `special_tokens` in the tokenizer.json.',
  )
}

function templatesOfStep(step: Step, ids: ReadonlyMap<string, number>): Templates | undefined {
  if (step.type === 'ByteLevel') return undefined
  if (step.type === 'TemplateProcessing') {
    const itemOf = (each: z.output<typeof item>): TemplateItem => {
      if ('Sequence' in each) return text(each.Sequence.id, each.Sequence.type_id)
      const { id: name, type_id: type } = each.SpecialToken
      return { ids: step.special_tokens[name]?.ids ?? [ids.get(name) ?? unknownToken(name)], type }
    }
    return { single: step.single.map(itemOf), pair: step.pair.map(itemOf) }
  }
  const [cls, sep] = [{ ids: [step.cls[1]] }, { ids: [step.sep[1]] }]
  const single: TemplateItem[] = [{ ...cls, type: 0 }, text('A', 0), { ...sep, type: 0 }]
  if (step.type === 'BertProcessing') return { single, pair: [...single, text('B', 1), { ...sep, type: 1 }] }
  return { single, pair: [...single, { ...sep, type: 0 }, text('B', 0), { ...sep, type: 0 }] }
}

/** Content of `post_processor` in a `tokenizer.json`. */
export type PostProcessor = z.output<typeof postProcessorSchema> | null | undefined

/**
 * The templates of a `tokenizer.json`; without special tokens if it has none.
 * @param ids ids by token
 */
export const templatesOf = (postProcessor: PostProcessor, ids: ReadonlyMap<string, number>): Templates =>
  // The last step with a template wins; byte-level steps only trim offsets.
  stepsIn<Step>(postProcessor)
    .map((each) => templatesOfStep(each, ids))
    .findLast((templates) => templates !== undefined) ?? bareTemplates

/** The templates without special tokens. */
export function withoutSpecial({ single, pair }: Templates): Templates {
  const texts = (items: readonly TemplateItem[]): TemplateItem[] => items.filter((each) => 'text' in each)
  return { single: texts(single), pair: texts(pair) }
}

const isLowSurrogate = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xdc00

const SPACE = BYTE_CHARACTERS[0x20]!

/** Number of leading and trailing spaces of a token. */
function spacesOf(token: string): readonly [leading: number, trailing: number] {
  const other = [...token].map((character) => character !== SPACE && !isWhiteSpace(character))
  const [first, last] = [other.indexOf(true), other.lastIndexOf(true)]
  return first < 0 ? [other.length, other.length] : [first, other.length - 1 - last]
}

/**
 * Trims the leading and trailing spaces of byte-level tokens from their offsets, if the file sets `trim_offsets`.
 * @param spelling the token of an id in byte-level characters; `undefined` for an added token
 */
export function trimOf(postProcessor: PostProcessor, spelling: (id: number) => string | undefined): Trim {
  const steps = stepsIn<Step>(postProcessor).flatMap((step) =>
    'trim_offsets' in step && step.trim_offsets === true ? [step] : [],
  )
  const known = new Map<number, readonly [number, number]>()
  const spaces = (text: string, { ids, starts, ends }: Parameters<Trim>[1], at: number): readonly [number, number] => {
    const id = ids[at]!
    const found = known.get(id)
    if (found !== undefined) return found
    const token = spelling(id)
    if (token === undefined) return spacesOf(text.slice(starts[at], ends[at]))
    const counted = spacesOf(token)
    known.set(id, counted)
    return counted
  }
  return (text, tokens, at) => {
    let [start, end] = [tokens.starts[at]!, tokens.ends[at]!]
    for (const { add_prefix_space: prefix } of steps) {
      const [leading, trailing] = spaces(text, tokens, at)
      // A single leading space at the beginning was added by the pre-tokenizer.
      if (!((at === 0 || start === 0) && prefix === true && leading === 1))
        for (let n = 0; n < leading && start < end; n++) start += text.codePointAt(start)! > 0xffff ? 2 : 1
      for (let n = 0; n < trailing && end > start; n++) end -= isLowSurrogate(text, end - 1) ? 2 : 1
    }
    return [start, end]
  }
}
