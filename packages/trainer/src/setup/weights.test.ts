import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Engine, type HostArray, type Key, type Params, deriveKey, key, mapParams } from '@attune/core'
import { filledWith as filledTensor, normal } from '@attune/nn'
import { encodeSafetensors, shardWeights } from '@attune/weights'
import { mul } from '@tensorflow/tfjs-core'
import { warningsOf } from './load-report.js'
import { toyEngine } from '../run/toy.test.fixture.js'
import { firstParameters, loadWeights, existingParameters, savedParameters } from './weights.js'

const root = mkdtempSync(join(tmpdir(), 'attune-load-'))
let engine: Engine
beforeAll(async () => {
  engine = toyEngine()
  await engine.start()
})
afterAll(() => rmSync(root, { recursive: true }))

let made = 0
type Arrays = Readonly<Record<string, HostArray>>
const filled = (value: number, ...shape: number[]): HostArray => ({
  shape,
  dtype: 'float32',
  values: new Float32Array(shape.reduce((product, n) => product * n, 1)).fill(value),
})

/** Writes a checkpoint with the given tensors and returns its folder. */
function checkpoint(tensors: Arrays): string {
  const folder = join(root, String(made++))
  mkdirSync(folder)
  writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(tensors))
  return folder
}

/** New parameters, all zero: word embeddings, a linear layer, a norm and a head. */
const fresh = (): Params =>
  engine.put({
    'm.words.weight': filled(0, 3, 2),
    'm.dense.weight': filled(0, 2, 2),
    'm.LayerNorm.weight': filled(0, 2),
    'm.LayerNorm.bias': filled(0, 2),
    'head.weight': filled(0, 4, 2),
  }) as unknown as Params
const whole: Arrays = {
  'm.words.weight': filled(1, 3, 2),
  'm.dense.weight': filled(2, 2, 2),
  'm.LayerNorm.weight': filled(3, 2),
  'm.LayerNorm.bias': filled(4, 2),
  'head.weight': filled(5, 4, 2),
}
const without = (...names: string[]): Arrays =>
  Object.fromEntries(Object.entries(whole).filter(([name]) => !names.includes(name)))

/** Loads a checkpoint and returns the first value of each parameter. */
async function firsts(path: string, loading: Partial<Parameters<typeof loadWeights>[3]> = {}) {
  const { params, report } = loadWeights(engine, existingParameters(engine, fresh()), path, {
    prefix: 'm.',
    optional: new Set(),
    ...loading,
  })
  const values = await engine.read(params)
  engine.release(params)
  return { numbers: Object.values(values as unknown as Arrays).map((array) => array.values[0]), report }
}
const failure = (
  path: string,
  loading: Partial<Parameters<typeof loadWeights>[3]> = {},
): { code: string; message: string } => {
  const params = fresh()
  try {
    loadWeights(engine, existingParameters(engine, params), path, { prefix: 'm.', optional: new Set(), ...loading })
  } catch (error) {
    return error as { code: string; message: string }
  } finally {
    engine.release(params)
  }
  throw new Error('expected loading to fail')
}

describe('loadWeights', () => {
  it('loads a complete checkpoint, single or sharded, without leaking tensors', async () => {
    const live = engine.live()
    const report = { fresh: [], unused: [], misshapen: [], grown: [] }
    expect(await firsts(checkpoint(whole), { needHead: true })).toEqual({ numbers: [1, 2, 3, 4, 5], report })
    const folder = join(root, 'sharded')
    mkdirSync(folder)
    for (const [name, content] of Object.entries(shardWeights(whole, 'float32', 40)))
      writeFileSync(join(folder, name), typeof content === 'string' ? content : content())
    expect(await firsts(folder, { needHead: true })).toEqual({ numbers: [1, 2, 3, 4, 5], report })
    expect(engine.live()).toBe(live)
  })

  it('matches the names of headless checkpoints and of TensorFlow conversions', async () => {
    const bare = Object.entries(without('head.weight')).map(
      ([name, array]) =>
        [
          name.slice(2).replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
          array,
        ] as const,
    )
    const { numbers, report } = await firsts(checkpoint(Object.fromEntries(bare)))
    expect(numbers).toEqual([1, 2, 3, 4, 0])
    expect(report).toEqual({ fresh: ['head.weight'], unused: [], misshapen: [], grown: [] })
  })

  it('loads moved layers from their origin, and a parameter that only one layer has from its own name', async () => {
    const [from, unused] = [{ 'm.dense.': 'm.other.', 'm.LayerNorm.': null }, ['m.LayerNorm.']]
    const layers = { from, unused, newHead: false }
    const other = checkpoint({ ...whole, 'm.other.weight': filled(7, 2, 2) })
    const moved = await firsts(other, { needHead: true, layers })
    expect(moved.numbers).toEqual([1, 7, 0, 0, 5])
    expect(moved.report).toEqual({ fresh: [], unused: ['m.dense.weight'], misshapen: [], grown: [] })
    expect((await firsts(checkpoint(whole), { needHead: true, layers })).numbers).toEqual([1, 2, 0, 0, 5])
  })

  it('accepts tied weights that are stored once or twice', async () => {
    const tied = { ...whole, 'lm_head.weight': whole['m.words.weight']!, position_ids: filled(0, 1) }
    expect((await firsts(checkpoint(whole), { needHead: true })).report.fresh).toEqual([])
    expect((await firsts(checkpoint(tied), { needHead: true })).report.unused).toEqual(['lm_head.weight'])
    const { report } = await firsts(checkpoint(tied), { needHead: true, words: 'm.words.weight' })
    expect(report.unused).toEqual([])
  })

  it('reports unused tensors, except computable buffers', async () => {
    const buffers = [
      'm.embeddings.position_ids',
      'model.layers.0.self_attn.rotary_emb.inv_freq',
      'h.3.attn.masked_bias',
      'bert.pooler.dense.weight',
      'model.encoder.embed_positions.weight',
    ].map((name) => [name, filled(0, 2)] as const)
    const others = Array.from({ length: 9 }, (_, i) => [`m.adapter.${i}`, filled(0, 2)] as const)
    const { report } = await firsts(checkpoint({ ...whole, ...Object.fromEntries([...buffers, ...others]) }))
    expect(report.unused).toEqual(others.map(([name]) => name))
    expect(warningsOf(report)).toEqual([
      'unused tensors of the saved model (9): m.adapter.0, m.adapter.1, m.adapter.2, m.adapter.3, m.adapter.4, and 4 more',
    ])
    const lists = { fresh: ['a'], unused: [], misshapen: ['b'], grown: ['c'] }
    expect(warningsOf(lists)).toEqual([
      'newly initialized weights, missing from the saved model: a, b',
      'newly initialized rows for added tokens: c',
    ])
    expect(warningsOf({ ...lists, fresh: [], misshapen: [], grown: [] })).toEqual([])
  })

  it('does not require unused parameters', async () => {
    const optional = new Set(['m.dense.weight', 'head.weight'])
    const { numbers, report } = await firsts(checkpoint(without(...optional)), { needHead: true, optional })
    expect(numbers).toEqual([1, 0, 3, 4, 0])
    expect(report.fresh).toEqual([])
  })

  it('reports missing parameters, with the nearest names and the other tensors', () => {
    const renamed = {
      ...without('m.dense.weight', 'head.weight'),
      'm.dence.weight': filled(2, 2, 2),
      other: filled(1, 1),
    }
    const { code, message } = failure(checkpoint(renamed))
    expect(code).toBe('MISSING_WEIGHTS')
    expect(message).toMatch(/lacks 1 of .*: m\.dense\.weight \(nearest: m\.dence\.weight\)\n/)
    expect(message).toMatch(/also has: m\.dence\.weight, other\./)
    expect(failure(checkpoint(without('head.weight')), { needHead: true }).message).toContain('head.weight')
  })

  it('bounds the length of its message for files with many or long names', () => {
    const many = Array.from({ length: 5000 }, (_, i) => [`x${i}${'y'.repeat(i % 400)}`, filled(0, 1)] as const)
    const { message } = failure(checkpoint(Object.fromEntries(many)))
    expect(message).toMatch(/lacks 4 of .*: m\.words\.weight, m\.dense\.weight.*and 4995 more/s)
    expect(message.length).toBeLessThan(2500)
  })

  it('reports every tensor with a mismatched shape', () => {
    const { code, message } = failure(
      checkpoint({ ...whole, 'm.words.weight': filled(1, 3), 'head.weight': filled(1, 3, 2) }),
    )
    expect(code).toBe('SHAPE_MISMATCH')
    expect(message).toContain('"m.words.weight": expected shape [3, 2], got [3]')
    expect(message).toContain('"head.weight": expected shape [4, 2], got [3, 2]')
    expect(message).not.toMatch(/lacks|also has/)
  })

  it('reports missing and unused tensors together with mismatched shapes', () => {
    const other = { ...without('head.weight'), 'm.words.weight': filled(1, 3), 'heat.weight': filled(5, 4, 2) }
    const { code, message } = failure(checkpoint(other))
    expect(code).toBe('SHAPE_MISMATCH')
    expect(message).toMatch(
      /lacks 1 of the parameters: head\.weight \(nearest: heat\.weight\); it also has 1 unused: heat\.weight/,
    )
  })

  it('loads partially if requested, and reports the new parameters', async () => {
    const part = { ...without('m.dense.weight', 'head.weight'), 'm.words.weight': filled(1, 4, 2), other: filled(1, 1) }
    const { numbers, report } = await firsts(checkpoint(part), { partial: true, needHead: true })
    expect(numbers).toEqual([0, 0, 3, 4, 0])
    expect(report).toEqual({
      fresh: ['m.dense.weight', 'head.weight'],
      unused: ['other'],
      misshapen: ['m.words.weight'],
      grown: [],
    })
  })

  it('adds rows for new tokens to the embeddings and the output layer if requested', async () => {
    const live = engine.live()
    const small = { ...whole, 'm.words.weight': filled(1, 2, 2), 'head.weight': filled(5, 2, 2) }
    const resizing = { wordEmbeddings: 'm.words.weight', key: key(3) }
    const { params, report } = loadWeights(engine, existingParameters(engine, fresh()), checkpoint(small), {
      prefix: 'm.',
      optional: new Set(),
      resizing,
    })
    expect(report).toMatchObject({ fresh: [], misshapen: [], grown: ['m.words.weight', 'head.weight'] })
    const values = (await engine.read(params)) as unknown as Arrays
    expect(values['m.words.weight']).toEqual(filled(1, 3, 2))
    expect(values['head.weight']).toEqual(filled(5, 4, 2))
    engine.release(params)
    expect(engine.live()).toBe(live)
    expect(failure(checkpoint(small)).code).toBe('SHAPE_MISMATCH')
    const other = { ...small, 'm.dense.weight': filled(2, 1, 2) }
    expect(failure(checkpoint(other), { resizing }).message).toContain('m.dense.weight')
  })
})

describe('initial parameters', () => {
  /** A model and a head with deferred weights, on an engine that records the parameters it creates. */
  function parts() {
    const made: string[][] = []
    const counting = {
      ...engine,
      compile: ((...given: Parameters<Engine['compile']>) => {
        const compiled = engine.compile(...given)
        return (...tensors: never[]) => {
          const result = compiled(...tensors)
          made.push(Object.keys(result as Params))
          return result
        }
      }) as Engine['compile'],
    }
    const model = {
      prefix: 'm.',
      wordEmbeddings: 'm.words.weight',
      layers: [],
      init: (from: Key) => ({
        'm.words.weight': normal(deriveKey(from, 'words'), [3, 2], 1),
        'm.dense.weight': normal(deriveKey(from, 'dense'), [2, 2], 1),
        'm.LayerNorm.weight': filledTensor([2], 1),
        'm.LayerNorm.bias': filledTensor([2], 0),
      }),
    }
    const objective = { config: {}, init: (from: Key) => ({ 'head.weight': normal(from, [4, 2], 1) }) }
    return { made, parts: { engine: counting, model, objective } as never as Parameters<typeof savedParameters>[0] }
  }
  const start = (path: string) => ({ path, partial: false, resizeEmbeddings: false })

  it('are not created if the checkpoint has them', () => {
    const live = engine.live()
    const { made, parts: whose } = parts()
    const { params } = savedParameters(whose, checkpoint(whole))
    expect(made).toEqual([])
    expect(engine.live()).toBe(live + 5)
    engine.release(params)
  })

  it('are read from the checkpoint when they are used', async () => {
    const folder = checkpoint(whole)
    const { parts: whose } = parts()
    const { params } = firstParameters(whose as never, 7, start(folder))
    // Later values show that nothing has been read yet.
    const later = Object.fromEntries(Object.entries(whole).map(([name, { shape }]) => [name, filled(9, ...shape)]))
    writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(later))
    expect(await engine.read(params)).toEqual(later)
    engine.release(params)
  })

  it('are created for missing parameters, with the values of a newly initialized model', async () => {
    const { made, parts: whose } = parts()
    const { params } = firstParameters(whose as never, 7, start(checkpoint(without('head.weight'))))
    expect(made).toEqual([['head.weight']])
    const { params: all } = firstParameters(whose as never, 7, undefined)
    const [found, expected] = await Promise.all([engine.read(params), engine.read(all)])
    expect(Object.keys(found)).toEqual(Object.keys(whole))
    expect((found as never as Arrays)['head.weight']).toEqual((expected as never as Arrays)['head.weight'])
    engine.release(params)
    engine.release(all)
  })

  it('are created all at once by a custom initializer, and unused ones are released', () => {
    const live = engine.live()
    const { made, parts: whose } = parts()
    const other = {
      ...whose,
      model: { ...whose.model, init: (from: Key) => mapParams((x) => mul(x, 2), whose.model.init(from)) },
    }
    const { params } = firstParameters(other as never, 7, start(checkpoint(without('head.weight'))))
    expect(made).toHaveLength(1)
    expect(made[0]).toHaveLength(5)
    expect(engine.live()).toBe(live + 5)
    engine.release(params)
  })
})
