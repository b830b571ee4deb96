import { z } from 'zod'
import { isSmall, listOf, recordOf, small, stepsOf } from './bulk.js'
import { BYTE_CHARACTERS } from './byte-level.js'
import { isWhiteSpace } from './characters.js'
import { stepsIn } from './steps-in.js'
import type { Piece, Templates, Trim } from './template.js'

const token = z.string().max(1000)
const id = z.int().min(0).max(2_000_000)

/** XLNet's `<cls>` has a type of its own, 2. */
const typeId = z.int().min(0).max(15)

/** A place in the template that special tokens are added by. */
const piece = z.union([
  z.strictObject({ SpecialToken: z.strictObject({ id: token, type_id: typeId }) }),
  z.strictObject({ Sequence: z.strictObject({ id: z.enum(['A', 'B']), type_id: typeId }) }),
])
const template = listOf(piece, 64)
const tokenIds = z.object({ ids: z.array(id).min(1).max(16) })
/** The ids that each name of a template stands for. */
const specialTokens = recordOf<z.output<typeof tokenIds>>((value, name) => {
  if (name.length > 1000 || !isSmall(value)) return 'it is too long'
  return tokenIds.safeParse(value).error?.issues[0]?.message
}, 1000)
const around = { sep: z.tuple([token, id]), cls: z.tuple([token, id]) }
const trims = { trim_offsets: z.boolean().default(true), add_prefix_space: z.boolean().default(true) }
const step = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('TemplateProcessing'),
    single: template,
    pair: template,
    special_tokens: specialTokens,
  }),
  z.object({ type: z.literal('BertProcessing'), ...around }),
  z.object({ type: z.literal('RobertaProcessing'), ...around, ...trims }),
  z.object({ type: z.literal('ByteLevel'), ...trims, use_regex: small }),
])

/** What a `tokenizer.json` may say under `post_processor`. */
export const postProcessorSchema = stepsOf('processors', step, 8)

type Step = z.output<typeof step>

const text = (name: 'A' | 'B', type: number): Piece => ({ text: name, type })
/** Templates of the texts alone, without special tokens. */
export const bareTemplates: Templates = { single: [text('A', 0)], pair: [text('A', 0), text('B', 1)] }

function templatesOfStep(processor: Step, ids: ReadonlyMap<string, number>): Templates | undefined {
  if (processor.type === 'ByteLevel') return undefined
  if (processor.type === 'TemplateProcessing') {
    const placed = (place: z.output<typeof piece>): Piece => {
      if ('Sequence' in place) return text(place.Sequence.id, place.Sequence.type_id)
      const { id: name, type_id: type } = place.SpecialToken
      return { ids: processor.special_tokens[name]?.ids ?? [ids.get(name) ?? 0], type }
    }
    return { single: processor.single.map(placed), pair: processor.pair.map(placed) }
  }
  const [cls, sep] = [{ ids: [processor.cls[1]] }, { ids: [processor.sep[1]] }]
  const single: Piece[] = [{ ...cls, type: 0 }, text('A', 0), { ...sep, type: 0 }]
  if (processor.type === 'BertProcessing') return { single, pair: [...single, text('B', 1), { ...sep, type: 1 }] }
  return { single, pair: [...single, { ...sep, type: 0 }, text('B', 0), { ...sep, type: 0 }] }
}

/** What a `tokenizer.json` says under `post_processor`. */
export type PostProcessor = z.output<typeof postProcessorSchema> | null | undefined

/**
 * The templates that a `tokenizer.json` asks for; without any, the texts alone.
 * @param ids the ids of tokens by what they spell
 */
export const templatesOf = (processor: PostProcessor, ids: ReadonlyMap<string, number>): Templates =>
  // The last that has a template decides; those of bytes only move offsets.
  stepsIn<Step>(processor)
    .map((each) => templatesOfStep(each, ids))
    .findLast((templates) => templates !== undefined) ?? bareTemplates

/** The same templates without what they add to the texts. */
export function withoutSpecial({ single, pair }: Templates): Templates {
  const texts = (pieces: readonly Piece[]): Piece[] => pieces.filter((piece) => 'text' in piece)
  return { single: texts(single), pair: texts(pair) }
}

const isLowSurrogate = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xdc00

const SPACE = BYTE_CHARACTERS[0x20]!

/** How many of the first, or last, characters of a token are spaces. */
function spacesOf(token: string): readonly [leading: number, trailing: number] {
  const other = [...token].map((character) => character !== SPACE && !isWhiteSpace(character))
  const [first, last] = [other.indexOf(true), other.lastIndexOf(true)]
  return first < 0 ? [other.length, other.length] : [first, other.length - 1 - last]
}

/**
 * How byte-level tokenizers leave the spaces at both ends of a token out of its part of the text, where they are asked to.
 * @param spelling the token of an id, as the vocabulary spells it; `undefined` for one that stands in texts as it is
 */
export function trimOf(processor: PostProcessor, spelling: (id: number) => string | undefined): Trim {
  const steps = stepsIn<Step>(processor).flatMap((step) =>
    'trim_offsets' in step && step.trim_offsets === true ? [step] : [],
  )
  const known = new Map<number, readonly [number, number]>()
  const spaces = (text: string, { ids, starts, ends }: Parameters<Trim>[1], at: number): readonly [number, number] => {
    const id = ids[at]!
    const found = known.get(id)
    if (found !== undefined) return found
    const spelt = spelling(id)
    if (spelt === undefined) return spacesOf(text.slice(starts[at], ends[at]))
    const counted = spacesOf(spelt)
    known.set(id, counted)
    return counted
  }
  return (text, tokens, at) => {
    let [start, end] = [tokens.starts[at]!, tokens.ends[at]!]
    for (const { add_prefix_space: prefix } of steps) {
      const [leading, trailing] = spaces(text, tokens, at)
      // A single space at the beginning is one that was added.
      if (!((at === 0 || start === 0) && prefix === true && leading === 1))
        for (let n = 0; n < leading && start < end; n++) start += text.codePointAt(start)! > 0xffff ? 2 : 1
      for (let n = 0; n < trailing && end > start; n++) end -= isLowSurrogate(text, end - 1) ? 2 : 1
    }
    return [start, end]
  }
}
