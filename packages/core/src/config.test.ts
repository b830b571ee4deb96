import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { type Chosen, type ChooseOptions, type Use, choosePlugins, parseConfig, use, useAll } from './config.js'
import { AttuneError } from './error.js'
import { keysAt } from './issues.js'
import { kind } from './kind.js'
import { definePlugin } from './plugin.js'
import { userSpecifier } from './plugin-name.js'

const LAMP = kind<object>('lamp', 'one')
const useOf = (of: Use['kind'], plugin: string | Use['plugin'], options: Use['options']): Use => ({
  kind: of,
  plugin: typeof plugin === 'string' ? userSpecifier(plugin) : plugin,
  options,
})
const SHADE = kind<object>('shade', 'many')
const desk = definePlugin({
  kind: LAMP,
  name: 'desk',
  summary: 'A lamp for a desk',
  options: z.strictObject({
    brightness: z.number().max(1).default(0.5),
    bulb: z.strictObject({ wattage: z.number(), socket: z.string().default('E27') }).optional(),
    manual: z.string().meta({ path: true }).optional(),
    maker: z.string().optional(),
  }),
  create: () => ({}),
})
const paper = definePlugin({
  kind: SHADE,
  name: 'paper',
  summary: 'A shade of paper',
  options: z.strictObject({ colour: z.string().default('white') }),
  create: () => ({}),
})

const schema = z.strictObject({
  lamp: use(LAMP),
  shades: useAll(SHADE).default([]),
  room: z
    .strictObject({
      width: z.number().positive().default(3),
      windows: z.array(z.strictObject({ height: z.number() })).default([]),
    })
    .prefault({}),
})
const how: ChooseOptions = {
  find: async (of, name, at) => {
    const plugin = [desk, paper].find((each) => each.kind.name === of.name && each.name === name)
    if (plugin === undefined) throw new AttuneError('UNKNOWN_PLUGIN', `no ${name} at ${at}`, 'Name another.')
    return { plugin, origin: { specifier: name } }
  },
  resolvePath: (path) => (path.startsWith('/') ? path : `/nowhere/${path}`),
}

const fails = (call: () => unknown): AttuneError => {
  try {
    call()
  } catch (error) {
    return error as AttuneError
  }
  throw new Error('nothing was thrown')
}
const rejects = async (promise: Promise<unknown>): Promise<AttuneError> =>
  promise.then(
    () => {
      throw new Error('nothing was thrown')
    },
    (error: AttuneError) => error,
  )

describe('parseConfig', () => {
  it('accepts a name, a record with options, or the plugin itself, and a list where several are allowed', () => {
    const parsed = parseConfig(schema, { lamp: 'desk', shades: [{ use: 'paper', colour: 'red' }, paper] })
    expect(parsed.lamp).toEqual(useOf(LAMP, 'desk', {}))
    expect(parsed.shades).toEqual([useOf(SHADE, 'paper', { colour: 'red' }), useOf(SHADE, paper, {})])
    expect(parsed.room).toEqual({ width: 3, windows: [] })
    const found = { plugin: desk, origin: { specifier: './desk.mjs', path: '/lamps/desk.mjs' } }
    expect(parseConfig(schema, { lamp: { use: found, brightness: 1 } }).lamp).toEqual(
      useOf(LAMP, found, { brightness: 1 }),
    )
    expect(parseConfig(schema, { lamp: found }).lamp).toEqual(useOf(LAMP, found, {}))
    expect(parseConfig(schema, { lamp: { use: desk, brightness: 1 }, shades: 'paper' })).toMatchObject({
      lamp: useOf(LAMP, desk, { brightness: 1 }),
      shades: [useOf(SHADE, 'paper', {})],
    })
  })

  it('reports all errors at once with their locations, and unknown keys at any depth with the nearest ones', () => {
    const lines: Record<string, number> = { lampp: 2, 'room.widht': 5, 'room.windows.1.heihgt': 9, 'room.width': 6 }
    const error = fails(() =>
      parseConfig(
        schema,
        { lampp: 'desk', room: { widht: 4, width: -1, windows: [{ height: 1 }, { heihgt: 2, height: 1 }] } },
        (path) => {
          const line = lines[path.map(String).join('.')]
          return line === undefined ? undefined : `config.yaml:${line}`
        },
      ),
    )
    expect(error.code).toBe('BAD_CONFIG')
    const expected = [
      'the configuration has 5 errors',
      'unknown `lampp` (did you mean `lamp`?) (config.yaml:2)',
      '`lamp`: expected a plugin name or `{ use: name, … }`, got nothing',
      'room: unknown `widht` (did you mean `width`?) (config.yaml:5)',
      'room.windows.1: unknown `heihgt` (did you mean `height`?) (config.yaml:9)',
    ]
    for (const line of expected) expect(error.problem).toContain(line)
    expect(error.problem).toMatch(/`room\.width`: .*, got -1 \(config\.yaml:6\)/)
    expect(error.remedy).toContain('attune plugins list')
  })

  it('reports the first of a hundred thousand errors, and the number of the others', () => {
    const windows = Array.from({ length: 100_000 }, () => ({ height: 'low' }))
    const { problem } = fails(() => parseConfig(schema, { lamp: 'desk', room: { windows } }))
    expect(problem.split('\n')).toHaveLength(22)
    expect(problem).toMatch(/and 99980 more$/)
    const keys = Object.fromEntries(windows.map((_, i) => [`key${i}`, 1]))
    expect(fails(() => parseConfig(schema, { lamp: 'desk', ...keys })).problem).toMatch(/and 99980 more$/)
  })

  it('rejects values that are not plugin names', () => {
    for (const lamp of [3, null, [], { brightness: 1 }, { use: 3 }])
      expect(fails(() => parseConfig(schema, { lamp })).problem).toContain('`lamp`')
    for (const wrong of ['text', null, 3, []]) expect(fails(() => parseConfig(schema, wrong)).code).toBe('BAD_CONFIG')
  })
})

describe('choosePlugins', () => {
  const choose = (input: unknown, locate?: ChooseOptions['locate']) =>
    choosePlugins(parseConfig(schema, input), { ...how, locate })

  it('replaces names with plugins and their completed options, and leaves other values unchanged', async () => {
    const chosen = await choose({
      lamp: 'desk',
      shades: ['paper', { use: 'paper', colour: 'red' }],
      room: { width: 2 },
    })
    expect(chosen.lamp).toEqual({ plugin: desk, origin: { specifier: 'desk' }, options: { brightness: 0.5 } })
    expect((chosen.shades as readonly Chosen[]).map(({ options }) => options)).toEqual([
      { colour: 'white' },
      { colour: 'red' },
    ])
    expect(chosen.room).toEqual({ width: 2, windows: [] })
  })

  it('leaves an object whose keys are the words `kind`, `plugin` and `options`, as in a vocabulary, unchanged', async () => {
    const vocabulary = { kind: 2487, plugin: 498, options: 1672 }
    expect(await choosePlugins({ vocabulary }, how)).toEqual({ vocabulary })
  })

  it('reports the invalid options of all plugins at once, by path in the configuration', async () => {
    const error = await rejects(
      choose(
        {
          lamp: { use: 'desk', brightness: 2, bulb: { watage: 3, wattage: 3 } },
          shades: [
            { use: 'paper', colour: 5 },
            { use: 'paper', color: 'red' },
          ],
        },
        (path) => `config.yaml:${path.length}`,
      ),
    )
    expect(error.code).toBe('BAD_CONFIG')
    expect(error.problem).toContain('4 errors')
    expect(error.problem).toMatch(/`lamp\.brightness`: .*got 2 \(config\.yaml:2\)/)
    expect(error.problem).toContain('lamp.bulb: unknown `watage` (did you mean `wattage`?) (config.yaml:3)')
    expect(error.problem).toMatch(/`shades\.0\.colour`: .*got 5/)
    expect(error.problem).toContain('shades.1: unknown `color` (did you mean `colour`?)')
  })

  it('passes the location of a name to the lookup', async () => {
    const error = await rejects(choose({ lamp: 'dsek' }, () => 'config.yaml:1'))
    expect([error.code, error.problem]).toEqual(['UNKNOWN_PLUGIN', 'no dsek at config.yaml:1'])
  })

  it('resolves paths, and only paths', async () => {
    const chosen = await choose({ lamp: { use: 'desk', manual: 'docs/manual.txt', maker: 'docs/manual.txt' } })
    expect((chosen.lamp as Chosen).options).toMatchObject({
      manual: '/nowhere/docs/manual.txt',
      maker: 'docs/manual.txt',
    })
    const absolute = await choose({ lamp: { use: 'desk', manual: '/elsewhere/manual.txt' } })
    expect((absolute.lamp as Chosen).options['manual']).toBe('/elsewhere/manual.txt')
  })

  it('does not let a `__proto__` key change a prototype', async () => {
    const open = z.record(z.string(), z.unknown())
    const chosen = await choosePlugins(parseConfig(open, JSON.parse('{"__proto__": {"polluted": 1}}')), how)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((chosen as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('an option with the name of a member of every object', () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '__defineGetter__',
    'length',
    'then',
  ]
  const given = (name: string): unknown => JSON.parse(`{"use": "desk", "${name}": 1}`)

  it.each(names)('is left to the plugin, which rejects it by name: %s', async (name) => {
    const parsed = parseConfig(z.strictObject({ lamp: use(LAMP) }), { lamp: given(name) })
    expect(Object.keys(parsed.lamp.options)).toEqual([name])
    const error = await rejects(choosePlugins(parsed, how))
    expect([error.code, error.problem]).toEqual(['BAD_CONFIG', expect.stringContaining(`unknown \`${name}\``)])
  })
})

describe('keysAt', () => {
  it('descends through defaults, optional values and arrays', () => {
    expect(keysAt(schema, [])).toEqual(['lamp', 'shades', 'room'])
    expect(keysAt(schema, ['room'])).toEqual(['width', 'windows'])
    expect(keysAt(schema, ['room', 'windows', 3])).toEqual(['height'])
    expect(keysAt(schema, ['room', 'width'])).toEqual([])
    expect(keysAt(schema, ['nothing', 'here'])).toEqual([])
  })
})
