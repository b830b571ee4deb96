import { expect, it } from '@jest/globals'
import { type AnyPlugin, OBJECTIVE, definePlugin, use } from '@attune/core'
import { chosenPlugin, tinyClassification } from '@attune/testkit'
import { z } from 'zod'
import { requiredFields } from './required-fields.js'

/** An objective with another one in its options. */
const around = (meta: Readonly<Record<string, unknown>>): AnyPlugin =>
  definePlugin({
    kind: OBJECTIVE,
    name: 'around',
    summary: 'Contains another objective',
    options: z.strictObject({
      task: use(OBJECTIVE).meta(meta).describe('Objective'),
      by: z.string().default('domain').meta({ field: 'label' }).describe('Field of the domain'),
    }),
    create: () => ({}) as never,
  })

it.each([
  ['requires the label of a nested objective', {}, ['domain', 'text', 'label']],
  ['does not require it if the option says that labels are optional', { labels: 'optional' }, ['domain', 'text']],
])('%s', (_, meta, fields) => {
  expect(requiredFields(chosenPlugin(around(meta), { task: chosenPlugin(tinyClassification) }))).toEqual(fields)
})
