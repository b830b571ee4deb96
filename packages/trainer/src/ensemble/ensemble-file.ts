import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError } from '@attune/core'
import { readJsonObject } from '@attune/files'
import { z } from 'zod'

/** File that makes a folder an ensemble. */
export const ENSEMBLE_FILE = 'ensemble.json'

const MAXIMUM_BYTES = 50_000_000

const numbers = z.array(z.number())
const combination = z.discriminatedUnion('method', [
  z.strictObject({ method: z.enum(['average', 'vote']), weights: z.array(z.number().min(0)) }),
  z.strictObject({
    method: z.literal('stack'),
    regression: z.strictObject({ coefficients: z.array(numbers), intercepts: numbers }),
  }),
  z.strictObject({ method: z.literal('confident') }),
  z.strictObject({
    method: z.literal('select'),
    field: z.string(),
    members: z.record(z.string(), z.int().min(0)),
    otherwise: z.int().min(0),
  }),
])

/** Content of `ensemble.json`. */
export const ensembleSchema = z.strictObject({
  format: z.literal(1),
  /** Folders of the members, relative to the ensemble. */
  members: z.array(z.string().regex(/^members\/\d+$/)).min(2),
  labels: z.array(z.string()).min(2),
  combination,
})

/** An ensemble: its members, its labels by class id, and how predictions are combined. */
export type EnsembleRecord = z.output<typeof ensembleSchema>

/** True if a folder contains an ensemble. */
export const isEnsemble = (folder: string): boolean => existsSync(join(folder, ENSEMBLE_FILE))

/** Reads `ensemble.json`. @throws AttuneError `RUN_DAMAGED` */
export function readEnsemble(folder: string): EnsembleRecord {
  const file = join(folder, ENSEMBLE_FILE)
  const damaged = (why: string): AttuneError =>
    new AttuneError('RUN_DAMAGED', `${file} is damaged: ${why}`, 'Make the ensemble again: npx attune ensemble.')
  const parsed = ensembleSchema.safeParse(readJsonObject(file, MAXIMUM_BYTES, damaged))
  if (!parsed.success) throw damaged(parsed.error.issues[0]?.message ?? 'it is not an ensemble')
  const { members, combination: how } = parsed.data
  if ('weights' in how && how.weights.length !== members.length) throw damaged('expected a weight for each member')
  if (how.method === 'select' && Math.max(how.otherwise, ...Object.values(how.members)) >= members.length)
    throw damaged('expected selected members among the members')
  return parsed.data
}
