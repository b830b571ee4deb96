import { Readable } from 'node:stream'
import { AUGMENTER, type AnyPlugin, type Chosen, type Example, PROTOCOL, definePlugin, key } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { rowsOf } from '../data/rows.js'
import { augmenterStage } from '../data/stages.js'
import { foldsOf } from './splits.js'

const halves = definePlugin({
  kind: PROTOCOL,
  name: 'halves',
  summary: 'Shows the groups that it receives',
  options: z.strictObject({ stratifyBy: z.string().optional() }),
  create: ({ stratifyBy = 'label' }) => ({
    stratifyBy,
    split: (count, groups) => [{ train: [...groups.keys()], validation: [count], groups }],
  }),
})

const chosen = (plugin: AnyPlugin, options: object): Chosen =>
  ({
    plugin,
    options: plugin.options.parse(options),
    common: {},
    origin: { specifier: plugin.name },
  }) as unknown as Chosen
const foldsFor = (rows: readonly Example[], options: object) =>
  foldsOf(chosen(halves, options), { examples: () => Readable.from(rows) }, 1)

describe('the field that a protocol groups by', () => {
  it('returns the group of each example; the default field may be absent', async () => {
    expect(await foldsFor([{ kind: 'a' }, { kind: 1 }], { stratifyBy: 'kind' })).toMatchObject([{ groups: ['a', '1'] }])
    expect(await foldsFor([{ text: 'x' }], {})).toMatchObject([{ groups: ['undefined'] }])
  })

  it('is required if it was named, also if it is the usual one', async () => {
    await expect(foldsFor([{ text: 'x' }], { stratifyBy: 'label' })).rejects.toMatchObject({ code: 'MISSING_FIELD' })
  })

  it.each(['lable', 'constructor'])('is required if it was named: %s', async (stratifyBy) => {
    await expect(foldsFor([{ label: 'a' }], { stratifyBy })).rejects.toMatchObject({
      code: 'MISSING_FIELD',
      problem: `protocol halves: expected the field "${stratifyBy}" in every example, got {"label":"a"}`,
      remedy: expect.stringContaining('"label"') as unknown,
    })
  })
})

describe('the field that an augmenter reads', () => {
  const twice = definePlugin({
    kind: AUGMENTER,
    name: 'twice',
    summary: 'Repeats each example',
    options: z.strictObject({ text: z.string().default('text').meta({ field: 'text' }) }),
    create: () => ({ augment: (example) => [example, example] }),
  })
  const augmented = async (rows: readonly Example[], options: object): Promise<number> => {
    let count = 0
    const made = augmenterStage(undefined, chosen(twice, options), key(1)).make!(
      rowsOf(Readable.from(rows)),
      () => undefined,
    )
    for await (const { example } of made) count += Object.keys(example).length
    return count
  }

  it('must be in one of the examples', async () => {
    expect(await augmented([{ body: 'x' }, { text: 'y' }], {})).toBe(4)
    expect(await augmented([], {})).toBe(0)
    await expect(augmented([{ text: 'x' }], { text: 'txt' })).rejects.toMatchObject({
      code: 'MISSING_FIELD',
      problem: 'augmenter twice: expected the field "txt", got an example without it: {"text":"x"}',
    })
  })
})
