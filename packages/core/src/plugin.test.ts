import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import type { AttuneError } from './error.js'
import { kind } from './kind.js'
import { METRIC } from './kinds/metric.js'
import { definePlugin, isPlugin, parseOptions, titleOf } from './plugin.js'

interface Lamp {
  readonly brightness: number
  readonly colour: string
}
const LAMP = kind<Lamp>('lamp', 'one')
const POWER = kind<{ readonly volts: number }>('power', 'one')

const desk = definePlugin({
  kind: LAMP,
  name: 'desk',
  summary: 'A lamp for a desk',
  options: z.strictObject({
    brightness: z.number().min(0).max(1).default(0.5).describe('Fraction of full brightness'),
    colour: z.string().default('white').describe('Colour'),
  }),
  create: (options): Lamp => options,
})

const thrown = (call: () => unknown): AttuneError => {
  try {
    call()
  } catch (error) {
    return error as AttuneError
  }
  throw new Error('nothing was thrown')
}

describe('definePlugin', () => {
  it('returns a function that fills in defaults and carries its manifest', () => {
    expect(desk()).toEqual({ brightness: 0.5, colour: 'white' })
    expect(desk({ brightness: 1 })).toEqual({ brightness: 1, colour: 'white' })
    expect([desk.kind, desk.name, desk.summary, titleOf(desk)]).toEqual([
      LAMP,
      'desk',
      'A lamp for a desk',
      'lamp desk',
    ])
    expect('create' in desk).toBe(false)
  })

  it('does not create an instance at definition', () => {
    let made = 0
    const counting = definePlugin({
      kind: LAMP,
      name: 'counting',
      summary: 'Counts its instances',
      options: z.strictObject({}),
      create: () => ({ brightness: ++made, colour: '' }),
    })
    expect(made).toBe(0)
    expect([counting().brightness, counting().brightness]).toEqual([1, 2])
  })

  it('passes dependencies to `create`', () => {
    const plugged = definePlugin({
      kind: LAMP,
      name: 'plugged',
      summary: 'A lamp that needs power',
      options: z.strictObject({}),
      needs: { power: POWER },
      create: (_, { power }) => ({ brightness: power.volts / 230, colour: '' }),
    })
    expect(plugged({}, { power: { volts: 115 } }).brightness).toBe(0.5)
    expect(plugged(undefined, { power: { volts: 230 } }).brightness).toBe(1)
  })

  it('defaults dependencies of arity `many` to an empty list', () => {
    const plugged = definePlugin({
      kind: LAMP,
      name: 'dimmed',
      summary: 'A lamp with dimmers',
      options: z.strictObject({}),
      needs: { dimmers: kind<number>('dimmer', 'many') },
      create: (_, { dimmers }) => ({ brightness: dimmers.reduce((light, by) => light * by, 1), colour: '' }),
    })
    expect([plugged(), plugged({}), plugged({}, {})].map(({ brightness }) => brightness)).toEqual([1, 1, 1])
    expect(plugged({}, { dimmers: [0.5, 0.5] }).brightness).toBe(0.25)
  })

  it('is recognized by isPlugin, unlike other functions', () => {
    expect(isPlugin(desk)).toBe(true)
    for (const other of [() => 1, { kind: LAMP, options: {}, summary: '' }, null, 'desk', METRIC])
      expect(isPlugin(other)).toBe(false)
  })
})

describe('parseOptions', () => {
  it('reports all errors at once, with the value and the nearest name', () => {
    const error = thrown(() => parseOptions(desk, { brightness: 2, color: 'red', colour: 3 }))
    expect(error.code).toBe('BAD_OPTIONS')
    expect(error.problem).toMatch(/^lamp desk: /)
    expect(error.problem).toMatch(/`brightness`: .*got 2/)
    expect(error.problem).toMatch(/`colour`: .*got 3/)
    expect(error.problem).toContain('unknown `color` (did you mean `colour`?)')
    expect(error.remedy).toContain('attune plugins info lamp desk')
  })

  it('shortens long values and reports missing ones', () => {
    const strict = { ...LAMP, name: 'lamp' }
    const required = {
      kind: strict,
      name: 'x',
      options: z.strictObject({ list: z.array(z.string()), text: z.string() }),
    }
    const error = thrown(() => parseOptions(required, { list: 'a'.repeat(500) }))
    expect(error.problem).toMatch(/`text`: .*got nothing/)
    expect(error.problem.length).toBeLessThan(300)
  })

  it('lists the known options if none is near', () => {
    expect(thrown(() => desk({ wattage: 3 } as never)).problem).toContain(
      'unknown `wattage` (known: brightness, colour)',
    )
  })

  it('treats undefined and null as no options', () => {
    expect(parseOptions(desk, undefined)).toEqual({ brightness: 0.5, colour: 'white' })
    expect(parseOptions(desk, null)).toEqual({ brightness: 0.5, colour: 'white' })
    for (const wrong of ['text', 3, []]) expect(thrown(() => parseOptions(desk, wrong)).code).toBe('BAD_OPTIONS')
  })
})
