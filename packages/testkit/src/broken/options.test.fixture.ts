import { AttuneError, SCHEDULER, type Scheduler, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeOptions } from '../describe-options.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

const every = {
  share: z.number().min(0).lt(1).default(0.5).describe('A share'),
  count: z.int().gt(0).max(8).default(1).describe('A whole number'),
  way: z.enum(['up', 'down']).default('up').describe('One of two words'),
  eager: z.boolean().default(false).describe('Yes or no'),
  names: z.array(z.string().min(1)).min(1).max(3).default(['a']).describe('A few names'),
  limit: z.number().positive().nullable().default(null).describe('A number, or null'),
  field: z.string().min(1).default('text').describe('A name'),
}

const pluginOf = (options: z.ZodObject, name = 'flat', summary = 'The same factor at every step') =>
  definePlugin({ kind: SCHEDULER, name, summary, options, create: (): Scheduler => () => 1 })

const flat = pluginOf(z.strictObject(every))
/** A plugin that says of no option that it is what is wrong. */
const mute = altered<Scheduler>(unchecked(flat), (scheduler, given) => {
  if (flat.options.safeParse(given ?? {}).success) return scheduler
  throw new AttuneError('BAD_OPTIONS', 'something is wrong', 'Mend it.')
})
const ofOne = (schema: z.ZodType) => pluginOf(z.strictObject({ one: schema }))
const named = ['has a kebab-case name and a summary']
const refuses = (values: number): readonly string[] => uncheckedFails(values).slice(1)

/** An option that swallows what is beyond its bounds. */
const lenient = (schema: z.ZodType, value: unknown) => ofOne(schema.catch(value).describe('What is wrong is left out'))

/** Manifests and options. */
export const options: readonly Specimen[] = [
  sound('options of every form', () => describeOptions(flat)),
  broken('a name in capitals', named, () => describeOptions(pluginOf(z.strictObject(every), 'Flat_1'))),
  broken('no summary', named, () => describeOptions(pluginOf(z.strictObject(every), 'flat', ''))),
  broken('an option without a word', ['says of every option what it is'], () => describeOptions(ofOne(z.boolean()))),
  broken('unknown options are passed over', ['refuses an option it does not know, and names it'], () =>
    describeOptions(pluginOf(z.object(every))),
  ),
  broken('any options will do', uncheckedFails(22), () => describeOptions(unchecked(flat))),
  broken('a number is brought within its bounds', refuses(4), () =>
    describeOptions(lenient(z.number().min(0).max(1), 0.5)),
  ),
  broken('a whole number may be a fraction', refuses(3), () =>
    describeOptions(ofOne(z.number().meta({ type: 'integer', description: 'Not checked to be whole' }))),
  ),
  broken('a word that is none of a few counts as the first', refuses(2), () =>
    describeOptions(lenient(z.enum(['a', 'b']), 'a')),
  ),
  broken('an empty name counts as another', refuses(2), () => describeOptions(lenient(z.string().min(1), 'a'))),
  broken('too many names count as one', refuses(6), () => describeOptions(lenient(z.array(z.int()).max(2), [1]))),
  broken('a refusal that does not name the option', uncheckedFails(22), () => describeOptions(mute)),
]
