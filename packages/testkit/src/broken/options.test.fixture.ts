import { AttuneError, SCHEDULER, type Scheduler, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeOptions } from '../describe-options.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

const every = {
  share: z.number().min(0).lt(1).default(0.5).describe('A fraction'),
  count: z.int().gt(0).max(8).default(1).describe('An integer'),
  way: z.enum(['up', 'down']).default('up').describe('One of two words'),
  eager: z.boolean().default(false).describe('A boolean'),
  names: z.array(z.string().min(1)).min(1).max(3).default(['a']).describe('Several names'),
  limit: z.number().positive().nullable().default(null).describe('A number, or null'),
  field: z.string().min(1).default('text').describe('A name'),
}

const pluginOf = (options: z.ZodObject, name = 'flat', summary = 'The same factor at every step') =>
  definePlugin({ kind: SCHEDULER, name, summary, options, create: (): Scheduler => () => 1 })

const flat = pluginOf(z.strictObject(every))
/** A plugin whose error does not name the invalid option. */
const mute = altered<Scheduler>(unchecked(flat), (scheduler, given) => {
  if (flat.options.safeParse(given ?? {}).success) return scheduler
  throw new AttuneError('BAD_OPTIONS', 'something is wrong', 'Fix it.')
})
const ofOne = (schema: z.ZodType) => pluginOf(z.strictObject({ one: schema }))
const named = ['has a kebab-case name and a summary']
const rejects = (values: number): readonly string[] => uncheckedFails(values).slice(1)

/** An option that replaces invalid values. */
const lenient = (schema: z.ZodType, value: unknown) =>
  ofOne(schema.catch(value).describe('Invalid values are replaced'))

/** Specimens of manifests and options. */
export const options: readonly Specimen[] = [
  valid('options of every form', () => describeOptions(flat)),
  broken('has a name in capitals', named, () => describeOptions(pluginOf(z.strictObject(every), 'Flat_1'))),
  broken('has no summary', named, () => describeOptions(pluginOf(z.strictObject(every), 'flat', ''))),
  broken('has an option without a description', ['describes every option'], () => describeOptions(ofOne(z.boolean()))),
  broken('ignores unknown options', ['rejects an unknown option by name'], () =>
    describeOptions(pluginOf(z.object(every))),
  ),
  broken('accepts any options', uncheckedFails(22), () => describeOptions(unchecked(flat))),
  broken('clamps a number to its bounds', rejects(4), () => describeOptions(lenient(z.number().min(0).max(1), 0.5))),
  broken('accepts a fraction for an integer', rejects(3), () =>
    describeOptions(ofOne(z.number().meta({ type: 'integer', description: 'Not checked to be an integer' }))),
  ),
  broken('replaces an unknown word with the first one', rejects(2), () =>
    describeOptions(lenient(z.enum(['a', 'b']), 'a')),
  ),
  broken('replaces an empty name', rejects(2), () => describeOptions(lenient(z.string().min(1), 'a'))),
  broken('replaces a list that is too long', rejects(6), () => describeOptions(lenient(z.array(z.int()).max(2), [1]))),
  broken('declares an exception that its kind does not have', ['declares only exceptions that its kind allows'], () =>
    describeOptions(altered(flat, (sane) => sane, { exceptions: { packing: 'it is said to' } })),
  ),
  broken('does not name the invalid option', uncheckedFails(22), () => describeOptions(mute)),
]
