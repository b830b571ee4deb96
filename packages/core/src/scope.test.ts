import 'reflect-metadata'
import { describe, expect, it } from '@jest/globals'
import { container, injectable } from 'tsyringe'
import { z } from 'zod'
import { type AttuneError } from './error.js'
import { kind } from './kind.js'
import { definePlugin } from './plugin.js'
import { closeScope, createScope, get, getAll, provide, provideInstance } from './scope.js'

interface Box {
  readonly label: string
  readonly number: number
}
const ONE = kind<Box>('scope-test-one', 'one')
const OTHER = kind<Box>('scope-test-other', 'one')
const CHAIN = kind<Box>('scope-test-chain', 'chain')
const MANY = kind<Box>('scope-test-many', 'many')

let instances = 0
const options = z.strictObject({ label: z.string().default('plain') })
const create = ({ label }: { label: string }): Box => ({ label, number: ++instances })
const one = definePlugin({ kind: ONE, name: 'one', summary: 'Needs nothing', options, create })
const link = definePlugin({ kind: CHAIN, name: 'link', summary: 'One link of a chain', options, create })
const many = definePlugin({ kind: MANY, name: 'many', summary: 'One of many', options, create })
const needy = definePlugin({
  kind: OTHER,
  name: 'needy',
  summary: 'Needs one, a chain and many',
  options,
  needs: { box: ONE, links: CHAIN, all: MANY },
  create: ({ label }, { box, links, all }) => ({
    label: [label, box.label, ...links.map((each) => each.label), ...all.map((each) => each.label)].join(' '),
    number: ++instances,
  }),
})

const codeOf = (call: () => unknown): AttuneError => {
  try {
    call()
  } catch (error) {
    return error as AttuneError
  }
  throw new Error('nothing was thrown')
}

describe('provide and get', () => {
  it('create one instance with the options, on first request', () => {
    const scope = createScope()
    const before = instances
    provide(scope, one, { label: 'red' })
    expect(instances).toBe(before)
    expect(get(scope, ONE).label).toBe('red')
    expect(get(scope, ONE)).toBe(get(scope, ONE))
    expect(instances).toBe(before + 1)
  })

  it('validate the options immediately', () => {
    const error = codeOf(() => provide(createScope(), one, { label: 3 } as never))
    expect([error.code, error.problem]).toEqual(['BAD_OPTIONS', expect.stringContaining('scope-test-one one')])
  })

  it('report a missing kind and the way to provide it', () => {
    const error = codeOf(() => get(createScope(createScope()), ONE))
    expect([error.code, error.remedy]).toEqual(['NOTHING_PROVIDED', expect.stringContaining('scope-test-one: { use:')])
  })

  it('isolate applications from each other', () => {
    const [a, b] = [createScope(), createScope()]
    provide(a, one)
    expect(codeOf(() => get(b, ONE)).code).toBe('NOTHING_PROVIDED')
    expect(container.isRegistered(ONE.token, true)).toBe(false)
  })

  it('reject a second instance of a kind of arity `one`, except in a child scope', () => {
    const app = createScope()
    provide(app, one, { label: 'first' })
    for (const second of [() => provide(app, one), () => provideInstance(app, ONE, { label: 'x', number: 0 })])
      expect(codeOf(second).code).toBe('ALREADY_PROVIDED')
    const run = createScope(app)
    provide(run, one, { label: 'second' })
    expect([get(app, ONE).label, get(run, ONE).label]).toEqual(['first', 'second'])
    expect(get(createScope(app), ONE)).toBe(get(app, ONE))
  })

  it('return an instance that was provided as such', () => {
    const scope = createScope()
    const box = { label: 'mine', number: -1 }
    provideInstance(scope, ONE, box)
    expect(get(scope, ONE)).toBe(box)
  })

  it('resolve a class with injected dependencies under the token of a kind', () => {
    @injectable()
    class Label {
      readonly text = 'from a class'
    }
    @injectable()
    class ClassBox implements Box {
      readonly label: string
      readonly number = 5
      constructor(label: Label) {
        this.label = label.text
      }
    }
    const scope = createScope()
    scope.register(ONE.token, { useClass: ClassBox })
    expect(get(scope, ONE)).toEqual({ label: 'from a class', number: 5 })
    expect(codeOf(() => provide(scope, one)).code).toBe('ALREADY_PROVIDED')
  })
})

describe('getAll', () => {
  it('returns the parents’ instances first, each scope’s in registration order, and an empty list if there are none', () => {
    const app = createScope()
    expect(getAll(app, MANY)).toEqual([])
    for (const label of ['a', 'b']) provide(app, many, { label })
    const run = createScope(createScope(app))
    expect(getAll(run, MANY).map((box) => box.label)).toEqual(['a', 'b'])
    for (const label of ['c', 'd']) provide(run, many, { label })
    expect(getAll(run, MANY).map((box) => box.label)).toEqual(['a', 'b', 'c', 'd'])
    expect(getAll(app, MANY).map((box) => box.label)).toEqual(['a', 'b'])
    expect(getAll(run, MANY)[0]).toBe(getAll(app, MANY)[0])
  })

  it('keeps the order of a chain, even if a plugin occurs twice', () => {
    const scope = createScope()
    for (const label of ['x', 'y', 'x']) provide(scope, link, { label })
    expect(getAll(scope, CHAIN).map((box) => box.label)).toEqual(['x', 'y', 'x'])
    expect(new Set(getAll(scope, CHAIN)).size).toBe(3)
  })
})

describe('needs', () => {
  it('are injected from the requesting scope, once per scope', () => {
    const app = createScope()
    provide(app, needy, { label: 'for' })
    provide(app, many, { label: 'm' })
    provide(app, link, { label: 'l' })
    const runs = ['first', 'second'].map((label) => {
      const run = createScope(app)
      provide(run, one, { label })
      return run
    })
    expect(runs.map((run) => get(run, OTHER).label)).toEqual(['for first l m', 'for second l m'])
    expect(get(runs[0]!, OTHER)).toBe(get(runs[0]!, OTHER))
    expect(get(runs[0]!, OTHER)).not.toBe(get(runs[1]!, OTHER))
  })

  it('are injected from the requesting scope, even for plugins of arity `many` of a parent', () => {
    const app = createScope()
    const lamp = definePlugin({
      kind: MANY,
      name: 'lamp',
      summary: 'Needs one',
      options,
      needs: { box: ONE },
      create: ({ label }, { box }) => ({ label: `${label} ${box.label}`, number: ++instances }),
    })
    provide(app, lamp, { label: 'of' })
    const runs = ['first', 'second'].map((label) => {
      const run = createScope(app)
      provide(run, one, { label })
      provide(run, many, { label: 'own' })
      return run
    })
    const labels = runs.map((run) => getAll(run, MANY).map(({ label }) => label))
    expect(labels).toEqual([
      ['of first', 'own'],
      ['of second', 'own'],
    ])
    expect(getAll(runs[0]!, MANY)[0]).toBe(getAll(runs[0]!, MANY)[0])
  })

  it('are named in the error if nothing provides them', () => {
    const scope = createScope()
    provide(scope, needy)
    expect(codeOf(() => get(scope, OTHER))).toMatchObject({ problem: expect.stringContaining('scope-test-one') })
  })
})

describe('closeScope', () => {
  const closing = (log: string[], needs?: { box: typeof ONE }) =>
    definePlugin({
      kind: needs === undefined ? ONE : OTHER,
      name: 'closing',
      summary: 'Logs that it was closed',
      options,
      ...(needs === undefined ? {} : { needs }),
      create: ({ label }): Box & { close: () => Promise<void> } => ({
        label,
        number: 0,
        close: async () => {
          await Promise.resolve()
          log.push(label)
        },
      }),
    })

  it('closes each created instance once, in reverse order, and none that was never requested', async () => {
    const log: string[] = []
    const scope = createScope()
    provide(scope, closing(log), { label: 'needed' })
    provide(scope, closing(log, { box: ONE }), { label: 'needing' })
    provide(scope, definePlugin({ ...closing(log), kind: MANY, create: () => ({ label: 'never', number: 0 }) }))
    get(scope, OTHER)
    await closeScope(scope)
    await closeScope(scope)
    expect(log).toEqual(['needing', 'needed'])
  })

  it('does not close the instances of the parent', async () => {
    const log: string[] = []
    const app = createScope()
    provide(app, closing(log), { label: 'engine' })
    const run = createScope(app)
    get(run, ONE)
    await closeScope(run)
    expect(log).toEqual([])
    await closeScope(app)
    expect(log).toEqual(['engine'])
  })
})
