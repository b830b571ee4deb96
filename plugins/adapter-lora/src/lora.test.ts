import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Adapted, type HostArray, type Mode, type Model, type Params, key, mapParams } from '@attune/core'
import { filledWith, linear, normal } from '@attune/nn'
import { describeAdapter, expectClose, gradientsOf, referenceEngine, textInputs, tinyModel } from '@attune/testkit'
import { type Scalar, type Tensor, add, profile, square, sum, tensor1d } from '@tensorflow/tfjs-core'
import { lora } from './lora.js'

describeAdapter(lora)
describeAdapter(lora, { options: { rank: 2, alpha: 1, targets: 'all-linear' } })

const engine = referenceEngine()
const given = { engine, randomness: key(3) }
const model = tinyModel()
beforeAll(() => engine.start())
afterAll(() => engine.close())

const layersOf = (params: Params): string[] =>
  Object.keys(params)
    .filter((name) => name.endsWith('.lora_A.weight'))
    .map((name) => name.slice(0, -'.lora_A.weight'.length))
const adapted = (options: Parameters<typeof lora>[0], params = model.init(key(1)), of = model) =>
  lora(options, given).adapt(of, params) as Adapted
/** The factors as after some training: none is zero. */
const moved = (params: Params): Params => mapParams((p) => add(p, normal(key(p.size), p.shape, 0.3)), params)

describe('targets', () => {
  it('selects attention, all linear layers, or those whose names end in a target', () => {
    const attention = ['query', 'key', 'value'].flatMap((part) =>
      [0, 1].map((i) => `tiny.encoder.layer.${i}.attention.self.${part}`),
    )
    expect(layersOf(adapted({}).trainable).sort()).toEqual(attention.sort())
    expect(layersOf(adapted({ targets: 'all-linear' }).trainable)).toHaveLength(11)
    expect(layersOf(adapted({ targets: ['query', 'pooler.dense'] }).trainable)).toEqual([
      'tiny.encoder.layer.0.attention.self.query',
      'tiny.encoder.layer.1.attention.self.query',
      'tiny.pooler.dense',
    ])
  })

  it('rejects unknown names and lists the nearest ones', () => {
    const refused = (options: Parameters<typeof lora>[0]) => expect(() => adapted(options)).toThrow
    refused({ targets: ['query', 'q_proj', 'valeu'] })(
      expect.objectContaining({ code: 'UNKNOWN_TARGET', problem: expect.stringContaining('q_proj') }),
    )
    refused({ targets: ['valeu'] })(
      expect.objectContaining({ code: 'UNKNOWN_TARGET', remedy: expect.stringContaining('value') }),
    )
    const { 'tiny.pooler.dense.weight': only } = model.init(key(1))
    expect(() => adapted({}, { 'tiny.pooler.dense.weight': only! })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_TARGET', remedy: expect.stringContaining('dense') }),
    )
  })

  it('rejects a layer that the model does not compute as a linear layer', () => {
    const params = { ...model.init(key(1)), 'tiny.encoder.layer.0.extra.weight': filledWith([4, 4], 1) }
    const { model: changed, trainable, frozen } = adapted({ targets: ['query', 'extra'] }, params)
    const mode: Mode = { training: true, key: { seed: tensor1d([1, 2], 'int32'), stream: 0 } }
    const inputs = engine.put(textInputs([[5, 6]]))
    expect(() => changed.forward({ ...frozen, ...trainable }, inputs, mode)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_TARGET', problem: expect.stringContaining('extra') }),
    )
  })
})

it('trains the factors and heads, but not a head with a row for each token', () => {
  const head = {
    'classifier.weight': filledWith([3, 8], 0),
    'classifier.bias': filledWith([3], 0),
    'lm_head.weight': filledWith([128, 8], 0),
  }
  const { trainable, frozen } = adapted({ targets: ['pooler.dense'] }, { ...model.init(key(1)), ...head })
  expect(Object.keys(trainable).sort()).toEqual([
    'classifier.bias',
    'classifier.weight',
    'tiny.pooler.dense.lora_A.weight',
    'tiny.pooler.dense.lora_B.weight',
  ])
  expect(frozen).toHaveProperty(['lm_head.weight'])
})

it('initializes A uniformly within ±1/√in, reproducibly from the key, and B to 0', async () => {
  const factors = async (randomness: ReturnType<typeof key>) => {
    const { trainable } = await lora({ rank: 64, targets: ['query'] }, { engine, randomness }).adapt(
      model,
      model.init(key(1)),
    )
    return (await engine.read(trainable)) as Record<string, HostArray>
  }
  const [first, again, other] = [await factors(key(1)), await factors(key(1)), await factors(key(2))]
  const [a0, a1] = [0, 1].map((i) => first[`tiny.encoder.layer.${i}.attention.self.query.lora_A.weight`]!)
  expect(a0!.shape).toEqual([64, 8])
  const values = [...a0!.values]
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(8))
  const variance = values.reduce((all, x) => all + x * x, 0) / values.length
  expect(Math.abs(variance * 8 * 3 - 1)).toBeLessThan(0.15) // the variance of U(−b, b) is b²/3
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
  expect(a1!.values).not.toEqual(a0!.values)
  expect(first['tiny.encoder.layer.0.attention.self.query.lora_B.weight']!.values.every((x) => x === 0)).toBe(true)
})

describe('weights of shape [in, out]', () => {
  const name = 'tiny.encoder.layer.0.wide'
  const inputFirst: Model = {
    ...model,
    inputFirst: true,
    forward(params, inputs) {
      const x = normal(key(4), [2, 3, 4], 1)
      const y = linear(params, name, x, { inputFirst: true, bias: false })
      return { lastHiddenState: y, pooled: y, ...(inputs.cache === undefined ? {} : { cache: inputs.cache }) }
    },
  }

  it('get factors of the usual shapes and are merged in their own layout', async () => {
    const params = { [`${name}.weight`]: normal(key(1), [4, 6], 1) }
    const { model: changed, trainable, frozen, merge } = adapted({ targets: ['wide'], rank: 2 }, params, inputFirst)
    expect(mapParams(({ shape }) => shape, trainable)).toEqual({
      [`${name}.lora_A.weight`]: [2, 4],
      [`${name}.lora_B.weight`]: [6, 2],
    })
    const trained = moved(trainable)
    const inputs = engine.put(textInputs([[1]]))
    const output = (of: Model, p: Params) => engine.read(of.forward(p, inputs, { training: false }).lastHiddenState)
    const merged = merge!(trained, frozen)
    expect(merged[`${name}.weight`]!.shape).toEqual([4, 6])
    expectClose(await output(inputFirst, merged), await output(changed, { ...frozen, ...trained }), 1e-5)
  })
})

describe('in training', () => {
  const params = () => model.init(key(1))
  const seedOf = (seed: number) => tensor1d([seed, 2], 'int32')
  const mode = (seed: Tensor, gradientCheckpointing = false): Mode => ({
    training: true,
    key: { seed, stream: 0 },
    gradientCheckpointing,
  })
  const inputs = () =>
    engine.put(
      textInputs([
        [7, 3, 9],
        [5, 8],
      ]),
    )
  const lossOf = (of: Model, all: Params, how: Mode): Scalar => {
    const { lastHiddenState, pooled } = of.forward(all, inputs(), how)
    return add(sum(square(add(lastHiddenState, 1))), sum(square(pooled))) as Scalar
  }

  it('applies dropout to the input of the factors only, by the seed', async () => {
    const { model: changed, trainable, frozen } = adapted({ dropout: 0.5 }, params())
    const { model: plain } = adapted({}, params())
    const read = async (of: Model, factors: Params, seed: number) =>
      ((await engine.read(lossOf(of, { ...frozen, ...factors }, mode(seedOf(seed))))) as HostArray).values[0]
    const trained = moved(trainable)
    expect(await read(changed, trained, 1)).toBe(await read(changed, trained, 1))
    expect(await read(changed, trained, 1)).not.toBe(await read(changed, trained, 4))
    expect(await read(changed, trained, 1)).not.toBe(await read(plain, trained, 1))
    expect(await read(changed, trainable, 1)).toBe(await read(plain, trainable, 1)) // B is 0
  })

  it('returns the same gradients with gradient checkpointing', async () => {
    const { model: changed, trainable, frozen } = adapted({ dropout: 0.2, targets: 'all-linear' }, params())
    const trained = moved(trainable)
    const gradients = (gradientCheckpointing: boolean) =>
      engine.read(
        engine.compile((t: Params, seed: Tensor) =>
          gradientsOf((p) => lossOf(changed, { ...frozen, ...p }, mode(seed, gradientCheckpointing)), t),
        )(trained, seedOf(1)),
      )
    const kept = (await gradients(false)) as Record<string, HostArray>
    expect(Object.values(kept).every(({ values }) => values.some((g) => g !== 0))).toBe(true)
    expectClose(await gradients(true), kept, 1e-5)
  })

  it('never materializes a tensor of the shape of a frozen weight: neither its gradient nor its sum with the update', async () => {
    const { model: changed, trainable, frozen } = adapted({ targets: 'all-linear', rank: 1 }, params())
    const made = async (among: Params) => {
      const [rest, how] = [{ ...frozen, ...trainable }, mode(seedOf(1))]
      const { kernels } = await profile(
        () => gradientsOf((p) => lossOf(changed, { ...rest, ...p }, how), among) as never,
      )
      return kernels
        .filter(({ name }) => name !== 'Reshape' && name !== 'Identity')
        .flatMap(({ outputShapes }) => outputShapes.map((shape) => shape.filter((n) => n > 1).join()))
    }
    const weight = 'tiny.encoder.layer.0.intermediate.dense.weight' // [12, 8]
    expect(await made({ [weight]: frozen[weight]! })).toContain('12,8')
    const shapes = await made(trainable)
    expect(shapes).not.toContain('12,8')
    expect(shapes).not.toContain('8,12')
  })
})
