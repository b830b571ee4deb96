import { z } from 'zod'
import type { Piece, Templates } from './template.js'

const token = z.string().max(1000)
const id = z.int().min(0).max(2_000_000)

/** A place in the template that special tokens are added by. */
const piece = z.union([
  z.strictObject({ SpecialToken: z.strictObject({ id: token, type_id: z.int().min(0).max(1) }) }),
  z.strictObject({ Sequence: z.strictObject({ id: z.enum(['A', 'B']), type_id: z.int().min(0).max(1) }) }),
])
const template = z.array(piece).max(64)
const around = { sep: z.tuple([token, id]), cls: z.tuple([token, id]) }
const step = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('TemplateProcessing'),
    single: template,
    pair: template,
    special_tokens: z.record(token, z.looseObject({ ids: z.array(id).min(1).max(16) })),
  }),
  z.looseObject({ type: z.literal('BertProcessing'), ...around }),
  z.looseObject({ type: z.literal('RobertaProcessing'), ...around }),
  z.looseObject({ type: z.literal('ByteLevel') }),
])

/** What a `tokenizer.json` may say under `post_processor`. */
export const postProcessorSchema = z.union([
  step,
  z.object({ type: z.literal('Sequence'), processors: z.array(step).max(8) }),
])

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

/**
 * The templates that a `tokenizer.json` asks for; without any, the texts alone.
 * @param ids the ids of tokens by what they spell
 */
export function templatesOf(
  processor: z.output<typeof postProcessorSchema> | null | undefined,
  ids: ReadonlyMap<string, number>,
): Templates {
  if (processor == null) return bareTemplates
  const steps = processor.type === 'Sequence' ? (processor as { processors: Step[] }).processors : [processor as Step]
  // The last that has a template decides; those of bytes only move offsets.
  return (
    steps.map((each) => templatesOfStep(each, ids)).findLast((templates) => templates !== undefined) ?? bareTemplates
  )
}
