import '@tensorflow/tfjs'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Mode, Params } from '@attune/core'
import { type Scalar, type Tensor, add, mul, scalar, sum, tensor, tidy, valueAndGrads } from '@tensorflow/tfjs-core'
import {
  type RotaryOptions,
  activation,
  activationNames,
  attendHeads,
  attention,
  clipByGlobalNorm,
  crossEntropy,
  eagerEngine,
  embedding,
  gelu,
  geluTanh,
  globalNorm,
  layerNorm,
  linear,
  paddingBias,
  rmsNorm,
  rotaryTables,
  rotate,
  under,
  aroundLayers,
  layerStack,
  withHook,
} from '../index.js'

interface Stored {
  readonly shape: number[]
  readonly dtype: 'float32' | 'int32'
  readonly values: number[]
}
interface Case {
  readonly layer: string
  readonly options: {
    readonly epsilon?: number
    readonly smoothing?: number
    readonly name?: string
    readonly heads?: number
    readonly theta?: number
    readonly rotary?: RotaryOptions
  }
  readonly inputs: Record<string, Stored>
  readonly output: Stored
  readonly direction: Stored
  readonly gradients: Record<string, Stored>
}

const golden = JSON.parse(readFileSync('golden/torch-layers.json', 'utf8')) as {
  readonly source: string
  readonly layers: readonly Case[]
  readonly clipping: readonly {
    readonly maximumNorm: number
    readonly before: Record<string, Stored>
    readonly norm: number
    readonly after: Record<string, Stored>
  }[]
}

const load = ({ values, shape, dtype }: Stored): Tensor => tensor(values, shape, dtype)
const named = (given: Record<string, Tensor>): Params =>
  Object.fromEntries(Object.entries(given).map(([name, t]) => [`layer.${name}`, t]))

const functions: Record<string, (given: Record<string, Tensor>, options: Case['options']) => Tensor> = {
  linear: (given) => linear(named(given), 'layer', given['x']!),
  layerNorm: (given, { epsilon }) => layerNorm(named(given), 'layer', given['x']!, epsilon!),
  activation: (given, { name }) => activation(name!)(given['x']!),
  attention: ({ q, k, v, mask }, { heads }) =>
    attention({ q: q!, k: k!, v: v!, bias: paddingBias(mask!) }, heads!, 0, { training: false }),
  crossEntropy: ({ logits, labels }, { smoothing }) => crossEntropy(logits!, labels!, { smoothing: smoothing! }),
  embedding: (given) => embedding(named(given), 'layer', given['ids']!),
  rmsNorm: (given, { epsilon }) => rmsNorm(named(given), 'layer', given['x']!, epsilon!),
  sharedHeads: ({ q, k, v }) => attendHeads({ q: q!, k: k!, v: v!, bias: scalar(0) }, 0, { training: false }),
  rotate: ({ x, positions }, { theta, rotary = { rope_theta: theta } }) =>
    rotate(x!, rotaryTables(positions!, x!.shape.at(-1)!, rotary)),
}

/** Maximum absolute difference relative to the maximum expected magnitude, which counts as 1 if smaller. */
function relativeError(actual: Tensor, expected: Stored): number {
  expect(actual.shape).toEqual(expected.shape)
  const scale = Math.max(1, ...expected.values.map(Math.abs))
  return Math.max(0, ...Array.from(actual.dataSync(), (x, i) => Math.abs(x - expected.values[i]!) / scale))
}

beforeAll(() => eagerEngine({ backend: 'cpu', device: '', load: () => Promise.resolve() }).start())

describe(`layers match ${golden.source}`, () => {
  for (const [i, { layer, options, inputs, output, direction, gradients }] of golden.layers.entries())
    it(`${layer}, case ${i + 1}: ${JSON.stringify(options)}, in value and gradients`, () =>
      void tidy(() => {
        const given = Object.fromEntries(Object.entries(inputs).map(([name, stored]) => [name, load(stored)]))
        const names = Object.keys(gradients)
        const compute = (tensors: Tensor[]): Tensor =>
          functions[layer]!({ ...given, ...Object.fromEntries(names.map((name, j) => [name, tensors[j]!])) }, options)
        expect(relativeError(compute(names.map((name) => given[name]!)), output)).toBeLessThan(2e-6)
        const weighed = (...tensors: Tensor[]): Scalar => sum(mul(compute(tensors), load(direction)))
        const { grads } = valueAndGrads(weighed)(names.map((name) => given[name]!))
        for (const [j, name] of names.entries())
          expect([name, relativeError(grads[j]!, gradients[name]!) < 1e-5]).toEqual([name, true])
      }))

  it.each(golden.clipping.map((each) => [each.maximumNorm, each] as const))(
    'clipping to a maximum norm of %p',
    (_, each) =>
      void tidy(() => {
        const grads = Object.fromEntries(Object.entries(each.before).map(([name, stored]) => [name, load(stored)]))
        expect(globalNorm(grads).dataSync()[0]).toBeCloseTo(each.norm, 4)
        const one = tensor(1).asScalar()
        const hyper = { learningRate: one, step: one, steps: one, seed: one, scheduled: {} }
        const { updates } = clipByGlobalNorm(each.maximumNorm).update(grads, {}, grads, hyper)
        for (const [name, stored] of Object.entries(each.after))
          expect(relativeError(updates[name]!, stored)).toBeLessThan(1e-6)
      }),
  )

  it('clipping without gradients and of zero gradients', () =>
    void tidy(() => {
      const one = tensor(1).asScalar()
      const hyper = { learningRate: one, step: one, steps: one, seed: one, scheduled: {} }
      expect(globalNorm({}).dataSync()[0]).toBe(0)
      const { updates } = clipByGlobalNorm(1).update({ a: tensor([0, 0]) }, {}, {}, hyper)
      expect([...updates['a']!.dataSync()]).toEqual([0, 0])
    }))
})

describe('closed-form gradients match central differences', () => {
  // Φ by Abramowitz and Stegun's series 26.2.10, summed in double precision.
  const phi = (x: number): number => {
    let [term, total] = [x, x]
    for (let n = 1; n < 200; n++) {
      term *= (-x * x) / (2 * n)
      total += term / (2 * n + 1)
    }
    return 0.5 + total / Math.sqrt(2 * Math.PI)
  }
  const reference = {
    gelu: (x: number) => x * phi(x),
    geluTanh: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  }
  it.each([
    ['gelu', gelu],
    ['geluTanh', geluTanh],
  ] as const)(
    '%s, against float64 in plain JavaScript',
    (name, f) =>
      void tidy(() => {
        const points = Array.from({ length: 81 }, (_, i) => (i - 40) / 10)
        const { value, grads } = valueAndGrads((x: Tensor) => sum(f(x)) as Scalar)([tensor(points)])
        const total = points.reduce((all, x) => all + reference[name](x), 0)
        expect(value.dataSync()[0]).toBeCloseTo(total, 4)
        const slopes = points.map((x) => (reference[name](x + 1e-5) - reference[name](x - 1e-5)) / 2e-5)
        grads[0]!.dataSync().forEach((slope, i) => expect(Math.abs(slope - slopes[i]!)).toBeLessThan(1e-6))
      }),
  )

  it('layer normalisation: the gradient is orthogonal to x and to constants', () =>
    void tidy(() => {
      const x = tensor([1, -2, 4, 0.5, 3, 3.5], [1, 6])
      const ones = { 'n.weight': tensor(new Float32Array(6).fill(1)), 'n.bias': tensor(new Float32Array(6)) }
      const loss = (y: Tensor): Scalar => sum(mul(layerNorm(ones, 'n', y, 1e-12), tensor([1, 5, -3, 2, 2, 8], [1, 6])))
      const g = [...valueAndGrads(loss)([x]).grads[0]!.dataSync()]
      const along = [...x.dataSync()].reduce((total, value, i) => total + value * g[i]!, 0)
      expect(Math.abs(g.reduce((a, b) => a + b, 0))).toBeLessThan(1e-5)
      expect(Math.abs(along)).toBeLessThan(1e-5)
    }))

  it('layer normalisation without a bias matches a zero bias in value and gradients', () =>
    void tidy(() => {
      const [x, gamma] = [tensor([1, -2, 4, 0.5, 3, 3.5], [2, 3]), tensor([0.5, 2, -1])]
      const direction = tensor([1, 5, -3, 2, 2, 8], [2, 3])
      const found = [true, false].map((bias) => {
        const loss = (y: Tensor, weight: Tensor): Scalar => {
          const params = { 'n.weight': weight, ...(bias ? { 'n.bias': tensor([0, 0, 0]) } : {}) }
          return sum(mul(layerNorm(params, 'n', y, 1e-5, { bias }), direction))
        }
        const { value, grads } = valueAndGrads(loss)([x, gamma])
        return [value, ...grads].map((t) => [...t.dataSync()])
      })
      expect(found[1]).toEqual(found[0])
    }))
})

describe('activation and parameter', () => {
  it('accept the listed names, and list them if a name is unknown', () => {
    for (const name of activationNames)
      expect([name, activation(name)(tensor([0])).dataSync()[0]]).toEqual([name, name === 'sigmoid' ? 0.5 : 0])
    for (const name of ['snake', 'constructor', ''])
      expect(() => activation(name)).toThrow(
        expect.objectContaining({ code: 'UNKNOWN_ACTIVATION', remedy: expect.stringContaining('gelu_new') }),
      )
  })

  it('lists the nearest names for a missing parameter', () => {
    const params = { 'layer.0.weight': tensor([1]), 'layer.0.bias': tensor([1]) }
    expect(() => linear(params, 'layer.O', tensor([[1]]))).toThrow(
      expect.objectContaining({ code: 'MISSING_PARAMETER', remedy: expect.stringContaining('layer.0.weight') }),
    )
  })

  it('applies the hook of the parameters around a linear layer, also for a subset of the parameters', () => {
    const params = { 'layer.weight': tensor([[1, 2]]), 'layer.bias': tensor([3]), 'other.bias': tensor([1]) }
    const x = tensor([[[1, 1]], [[2, 0]]])
    const values = (of: Params) => [...linear(of, 'layer', x).dataSync()]
    const seen: unknown[] = []
    const carrying = withHook(params, ({ params: given, name }, rows, compute) => {
      seen.push([Object.keys(given), name, rows.shape])
      return add(compute(rows), tensor([[10], [20]]))
    })
    expect(values(params)).toEqual([6, 5])
    expect(values(carrying)).toEqual([16, 25])
    expect(values({ ...carrying })).toEqual([16, 25])
    expect(values(under(carrying, 'layer.'))).toEqual([16, 25])
    expect(seen.at(-1)).toEqual([['layer.weight', 'layer.bias'], 'layer', [2, 2]])
    const doubled = withHook(carrying, ({ weight }, rows, compute) => compute(rows, mul(weight!, 2)))
    expect(values(doubled)).toEqual([19, 27])
    expect(values(withHook(carrying, (_, rows, compute) => mul(compute(rows), 2)))).toEqual([32, 50])
    expect(Object.keys(carrying)).toEqual(Object.keys(params))
  })

  it('applies hooks around whole layers in training only, the outer one around the inner one', () => {
    const doubled = aroundLayers((_, __, compute) => mul(compute(), 2), undefined)
    const both = aroundLayers(({ index, count }, _, compute) => add(compute(), 10 * (index + 1) + count), doubled)
    const stack = (of: Params, mode: Mode) =>
      layerStack(of, tensor([[[1]]]), [], mode, {
        count: 2,
        at: (index) => `layer.${index}`,
        layer: (_, x) => add(x, 1),
      }).x.dataSync()[0]
    const training = { training: true, key: { seed: tensor([7, 0], [2], 'int32'), stream: 0 } } as const
    expect(stack({}, training)).toBe(3)
    expect(stack(withHook({}, doubled), training)).toBe(10)
    // ((1 + 1) · 2 + 12 + 1) · 2 + 22, whichever hook the parameters carry.
    expect(stack(withHook({}, both), training)).toBe(56)
    expect(
      stack(
        withHook(
          withHook({}, (_, x, compute) => compute(x)),
          both,
        ),
        training,
      ),
    ).toBe(56)
    expect(stack(withHook({}, both), { training: false })).toBe(3)
  })
})
