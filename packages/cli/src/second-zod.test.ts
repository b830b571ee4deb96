import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from '@jest/globals'
import {
  type AnyPlugin,
  type Chosen,
  SCHEDULER,
  choosePlugins,
  definePlugin,
  fieldsRead,
  parseConfig,
  pathOptions,
  scheduled,
  scheduledOptions,
  use,
} from '@attune/core'
import { jsonSchemaOf } from '@attune/resolve'
import * as ownZod from 'zod'
import { optionRows } from './option-rows.js'

type Zod = Pick<typeof ownZod, 'z'>

/** A plugin with every form of option, whose schemas a copy of zod makes. */
const pluginOf = ({ z }: Zod): AnyPlugin =>
  definePlugin({
    kind: SCHEDULER,
    name: 'bent',
    summary: 'A schedule',
    options: z.strictObject({
      rate: scheduled(z.number().min(0).max(1).default(0.5).describe('Factor')),
      shape: z.enum(['line', 'arc']).default('line').describe('Form of the curve'),
      steps: z.int().min(1).describe('Steps until the end'),
      file: z.string().meta({ path: true }).optional().describe('File of factors'),
      field: z.string().default('text').meta({ field: 'text' }).describe('Field that is read'),
      corners: z
        .array(z.strictObject({ at: z.number().gt(0) }))
        .default([])
        .describe('Corners'),
      then: use(SCHEDULER).optional().describe('Schedule that follows'),
    }),
    create: () => () => 1,
  })

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'attune-second-zod-')))
afterAll(() => rmSync(folder, { recursive: true }))

/** A second copy of zod, with passages of its files replaced. */
async function copyOf(name: string, changes: readonly (readonly [string, RegExp, string])[] = []): Promise<Zod> {
  const copy = join(folder, name, 'node_modules/zod')
  cpSync(dirname(createRequire(import.meta.url).resolve('zod/package.json')), copy, { recursive: true })
  for (const [file, from, to] of changes) {
    const text = readFileSync(join(copy, file), 'utf8')
    expect([file, from.test(text)]).toEqual([file, true])
    writeFileSync(join(copy, file), text.replace(from, to))
  }
  return (await import(pathToFileURL(join(copy, 'index.js')).href)) as Zod
}

/** As before zod 4.2: each copy has a registry of its own for metadata, and schemas have no method that makes JSON Schema. */
const OLD = [
  ['v4/core/registries.js', /globalThis\.__zod_globalRegistry;/, 'registry();'],
  ['v4/classic/schemas.js', /^ {4}toJSONSchema\(params\)/m, '    toOtherSchema(params)'],
] as const

const found = (plugin: AnyPlugin) => ({
  find: async () => ({ plugin, origin: { specifier: 'bent' } }),
  resolvePath: (path: string) => `/data/${path}`,
})
const choose = (plugin: AnyPlugin, options: object) =>
  choosePlugins(
    parseConfig(ownZod.z.strictObject({ scheduler: use(SCHEDULER) }), { scheduler: { use: 'bent', ...options } }),
    found(plugin),
  ) as Promise<{ readonly scheduler: Chosen }>

/** All that Attune reads of a plugin's schemas. */
async function readOf(plugin: AnyPlugin) {
  const { scheduler } = await choose(plugin, { steps: 3, file: 'factors.txt', then: { use: 'bent', steps: 4 } })
  const { options, ...rest } = scheduler
  const then = options['then'] as Chosen
  return {
    rows: optionRows(plugin.options),
    schema: jsonSchemaOf(plugin.options),
    scheduled: scheduledOptions(plugin),
    options: { ...options, then: then.options },
    paths: pathOptions(scheduler),
    fields: fieldsRead(scheduler),
    origin: rest.origin,
    errors: await choose(plugin, { steps: 0, rat: 1, corners: [{ att: 1 }] }).catch(String),
  }
}

describe('a plugin with another copy of zod', () => {
  it.each([
    ['the same version', []],
    ['a version with separate metadata', OLD],
  ])('has the same options, defaults, metadata, JSON Schema and errors: %s', async (name, changes) => {
    const own = await readOf(pluginOf(ownZod))
    const copy = await copyOf(name.replaceAll(' ', '-'), changes)
    expect(copy.z.ZodObject).not.toBe(ownZod.z.ZodObject)
    expect(await readOf(pluginOf(copy))).toEqual(own)
    expect(own).toMatchObject({
      scheduled: ['rate'],
      fields: ['text'],
      paths: [['file', '/data/factors.txt']],
      options: { rate: 0.5, shape: 'line', steps: 3, field: 'text', corners: [], then: { steps: 4, rate: 0.5 } },
      errors: expect.stringMatching(/`att` \(did you mean `at`\?\)[\s\S]*`rat` \(did you mean `rate`\?\)/),
    })
    expect(own.rows.map(({ description }) => description)).not.toContain('')
    expect(own.schema.required).toEqual(['steps'])
  })
})
