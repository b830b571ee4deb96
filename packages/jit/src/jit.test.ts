import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it, jest } from '@jest/globals'
import { gelu, geluTanh, layerNorm, lazyTensors, linear } from '@attune/nn'
import * as tf from '@tensorflow/tfjs-core'
import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Program, jit, saveGraph } from './index.js'
import { encodeModel } from './onnx-model.js'
import { nodesOf } from './graph.js'

beforeAll(() => {
  tf.enableProdMode()
  return tf.setBackend('cpu')
})

/** Count of each operation in the only graph of a compiled function. */
function operations(graphs: ReadonlyMap<string, Program>): Record<string, number> {
  const counts: Record<string, number> = {}
  const [program] = graphs.values()
  for (const { op } of nodesOf(program!.graph.outputs)) counts[op] = (counts[op] ?? 0) + 1
  return counts
}

const random = (...shape: number[]): Tensor => tf.randomNormal(shape, 0, 1, 'float32', 7)

describe('a compiled function', () => {
  it.each([[[]], [[0]]])('reads a lazy tensor once for all calls, with constants %j', async (constant) => {
    let reads = 0
    const read = (): Float32Array => (reads++, Float32Array.from({ length: 3 }, (_, i) => i))
    const { w } = lazyTensors({ w: { shape: [3], read } }, () => undefined) as { w: Tensor }
    const f = jit((a: Tensor, x: Tensor) => tf.mul(a, x), { constant })
    for (const x of [2, 3]) expect([...(await f(w, tf.scalar(x)).data())]).toEqual([0, x, 2 * x])
    expect(reads).toBe(1)
  })

  it('accepts and returns records, keeps their order, and returns unchanged arguments as they are', async () => {
    const f = jit((p: { w: Tensor; b: { c: Tensor } }, x: Tensor) => ({
      z: x,
      deep: { y: tf.add(tf.mul(p.w, x), p.b.c) },
    }))
    const x = tf.tensor1d([1, 2])
    const out = f({ w: tf.scalar(3), b: { c: tf.scalar(1) } }, x)
    expect(Object.keys(out)).toEqual(['z', 'deep'])
    expect(out.z).toBe(x)
    expect([...(await out.deep.y.data())]).toEqual([4, 7])
  })

  it('returns tensors that other TF.js backends accept', async () => {
    const y = jit((x: Tensor) => tf.square(x))(tf.tensor1d([3])) as Tensor
    expect([...(await tf.add(y, 1).data())]).toEqual([10])
    expect([...(await y.data())]).toEqual([9])
  })

  it('is traced once per shape and dtype, and evicts the least recently used graphs', () => {
    let calls = 0
    const f = jit((x: Tensor) => (calls++, tf.add(x, x)), { maximumGraphs: 2 })
    for (const size of [1, 2, 1, 2]) f(tf.zeros([size]))
    expect([calls, f.graphs.size]).toEqual([2, 2])
    f(tf.zeros([2], 'int32'))
    f(tf.zeros([2]))
    expect([calls, f.graphs.size]).toEqual([3, 2])
    f(tf.zeros([1]))
    expect([calls, f.graphs.size]).toEqual([4, 2])
    f.dispose()
    expect(f.graphs.size).toBe(0)
  })

  it('accumulates repeated indices bit-reproducibly on several threads', async () => {
    const [rows, width, uses] = [50, 256, 6000]
    const ids = Int32Array.from({ length: uses }, (_, i) => (i * 31) % rows)
    const gradient = (table: Tensor, at: Tensor, weights: Tensor): Tensor =>
      tf.grad((t: Tensor) => tf.sum(tf.mul(tf.gather(t, at as tf.Tensor1D), weights)))(table)
    const given = [tf.zeros([rows, width]), tf.tensor1d(ids, 'int32'), random(uses, width)] as const
    const f = jit(gradient, { threads: 4 })
    const wanted = new Float64Array(rows * width)
    ;(await given[2].data()).forEach((n, i) => (wanted[ids[Math.floor(i / width)]! * width + (i % width)]! += n))
    const first = await (f(...given) as Tensor).data()
    first.forEach((n, i) => expect(Math.abs(n - wanted[i]!)).toBeLessThan(1e-3))
    for (let i = 0; i < 5; i++) expect(await (f(...given) as Tensor).data()).toEqual(first)
  })

  it('returns the same results if memory is short', async () => {
    jest.spyOn(process, 'availableMemory').mockReturnValue(0)
    const f = jit((x: Tensor) => tf.sum(tf.exp(tf.matMul(x, x, false, true))))
    const [large, small] = [tf.fill([900, 4], 0.5), tf.fill([700, 4], 0.5)]
    for (let i = 0; i < 3; i++)
      for (const x of [large, small]) {
        const [value] = await (f(x) as Tensor).data()
        expect(value! / x.shape[0]! ** 2).toBeCloseTo(Math.E, 2)
      }
    jest.restoreAllMocks()
  })

  it('uses the gradients of customGrad', async () => {
    const odd = tf.customGrad((x) => ({ value: tf.square(x as Tensor), gradFunc: (dy) => tf.mul(dy as Tensor, 42) }))
    const f = jit((x: Tensor) => tf.grad((y) => tf.sum(odd(y)))(x))
    expect([...(await (f(tf.tensor1d([1, 2])) as Tensor).data())]).toEqual([42, 42])
  })

  it('captures tensors that the function closes over as constants, and does not modify them', async () => {
    const table = random(30, 9)
    const before = [...(await table.data())]
    const f = jit((x: Tensor) => tf.matMul(x, table))
    const [x] = [random(2, 30)]
    const found = [...(await (f(x) as Tensor).data())]
    const wanted = [...(await tf.matMul(x, table).data())]
    found.forEach((n, i) => expect(n).toBeCloseTo(wanted[i]!, 4))
    expect([...(await table.data())]).toEqual(before)
  })

  describe('with constant arguments', () => {
    const dense = (w: { w: Tensor; b: Tensor }, x: Tensor): Tensor => tf.add(tf.matMul(x, w.w), w.b)
    const weights = (by: number) => ({ w: tf.mul(random(200, 300), by) as Tensor, b: random(300) })

    it('embeds them in its graphs, returns the same values, and compiles again when they change', async () => {
      const f = jit(dense, { constant: [0] })
      const [first, second, x] = [weights(1), weights(2), random(8, 200)]
      for (const given of [first, second, first, first]) {
        const [found, wanted] = await Promise.all([(f(given, x) as Tensor).data(), dense(given, x).data()])
        found.forEach((n, i) => expect(Math.abs(n - wanted[i]!)).toBeLessThan(1e-4))
      }
      expect([...f.graphs.values()].map(({ inputs }) => inputs.map(({ shape }) => shape))).toEqual([[[8, 200]]])
    })

    it('passes them as inputs if they are large relative to memory, with one graph per shape of the others', async () => {
      jest.spyOn(process, 'constrainedMemory').mockReturnValue(1e6)
      const f = jit(dense, { constant: [0] })
      const given = weights(1)
      for (const rows of [3, 5, 3]) f(given, random(rows, 200))
      jest.restoreAllMocks()
      expect([...f.graphs.values()].map(({ inputs }) => inputs.length)).toEqual([3, 3])
      expect(given.w.isDisposed).toBe(false)
    })

    it('computes gradients through them, and returns one of them as a result', async () => {
      const f = jit(
        (w: { w: Tensor; b: Tensor }, x: Tensor) => ({
          slope: tf.grad((y: Tensor) => tf.sum(dense(w, y)))(x),
          same: w.b,
        }),
        { constant: [0] },
      )
      const given = weights(1)
      const { slope, same } = f(given, random(2, 200))
      const wanted = await tf.sum(given.w, 1).data()
      ;(await slope.data()).forEach((n, i) => expect(Math.abs(n - wanted[i % 200]!)).toBeLessThan(1e-3))
      expect(await same.data()).toEqual(await given.b.data())
    })
  })

  it('writes its results over donated arguments without allocating arrays', async () => {
    const f = jit((s: { p: Tensor }, rate: Tensor) => ({ s: { p: tf.sub(s.p, tf.mul(rate, s.p)) } }), { donate: [0] })
    let { s } = f({ p: tf.ones([1000]) }, tf.scalar(0.5))
    const arrays = new Set<unknown>()
    for (let i = 0; i < 10; i++) {
      const { dataId } = s.p
      ;({ s } = f(s, tf.scalar(0.5)))
      expect(s.p.dataId).not.toBe(dataId)
      arrays.add((f.graphs, (await import('./backend.js')).graphBackend().held(s.p)))
    }
    expect(arrays.size).toBe(1)
    expect((await s.p.data())[999]).toBe(2 ** -11)
  })

  it('writes some rows of a donated argument in place and keeps the others', async () => {
    const { graphBackend } = await import('./backend.js')
    const origin = tf.tensor2d([[0]], [1, 1], 'int32')
    const f = jit(
      (held: Tensor, row: Tensor, at: Tensor) => {
        const next = tf.tensorScatterUpdate(tf.mul(held, 1), tf.add(origin, at) as tf.Tensor2D, row)
        return { next, sum: tf.sum(next, 0) }
      },
      { donate: [0] },
    )
    let { next } = f(tf.zeros([5, 40]), tf.ones([1, 40]), tf.scalar(3, 'int32'))
    const array = graphBackend().held(next)
    for (const [i, row] of [0, 4, 3].entries()) {
      const found = f(next, tf.fill([1, 40], 10 + i), tf.scalar(row, 'int32'))
      next = found.next
      expect(graphBackend().held(next)).toBe(array)
      expect((await found.sum.data())[0]).toBe([11, 22, 33][i])
    }
    expect(((await next.array()) as number[][]).map((row) => row[39])).toEqual([10, 0, 0, 12, 11])
    const reads = jit(
      (held: Tensor, row: Tensor) => ({
        next: tf.tensorScatterUpdate(tf.mul(held, 1), [[0]], row),
        before: tf.sum(held),
      }),
      { donate: [0] },
    )
    const last = reads(next, tf.zeros([1, 40]))
    expect([(await last.before.data())[0], (await tf.sum(last.next).data())[0]]).toEqual([1320, 920])
  })

  it('does not overwrite a donated argument that is still read, passed twice, or shared', async () => {
    const shift = jit((x: Tensor) => ({ next: tf.add(x, 1), sum: tf.sum(tf.square(x)) }), { donate: [0] })
    let state = shift(tf.zeros([300])).next
    for (let i = 1; i < 5; i++) {
      const { next, sum } = shift(state)
      expect((await sum.data())[0]).toBe(300 * i * i)
      state = next
    }
    const swap = jit((a: Tensor, b: Tensor) => ({ a: tf.add(b, 0.5), b: tf.mul(a, b) }), { donate: [0, 1] })
    const x = shift(tf.fill([2], 2)).next
    const once = swap(x, x)
    expect([...(await once.a.data()), ...(await once.b.data())]).toEqual([3.5, 3.5, 9, 9])
    const kept = shift(tf.zeros([2])).next
    const view = tf.tidy(() => tf.keep(kept.clone()))
    shift(kept)
    expect([...(await view.data())]).toEqual([1, 1])
  })

  it('names the operation whose kernel cannot be compiled', () => {
    const f = jit((x: Tensor) => tf.dilation2d(x as tf.Tensor3D, tf.ones([2, 2, 1]), 1, 'same'))
    expect(() => f(random(4, 4, 1))).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_KERNEL',
        problem: expect.stringMatching(/dilation2d.*Dilation2D/),
      }),
    )
  })

  it.each([
    ['reads values', (x: Tensor) => (x.dataSync()[0]! > 0 ? x : tf.neg(x)), 'READS_TENSOR'],
    ['creates complex numbers', (x: Tensor) => tf.real(tf.complex(x, x)), 'UNKNOWN_KERNEL'],
  ])('rejects a function that %s', (_what, fn, code) => {
    expect(() => jit(fn as (x: Tensor) => Tensor)(tf.ones([2]))).toThrow(expect.objectContaining({ code }))
    expect(tf.getBackend()).toBe('cpu')
  })

  it('rejects a symbolic tensor of another function', () => {
    let escaped: Tensor | undefined
    jit((x: Tensor) => (escaped = tf.keep(tf.mul(x, 2))))(tf.ones([2]))
    expect(() => jit((x: Tensor) => tf.add(x, escaped!))(tf.ones([2]))).toThrow(
      expect.objectContaining({ code: 'ESCAPED_TENSOR' }),
    )
  })

  it('rejects operations on its results while its own backend is selected', async () => {
    const y = jit((x: Tensor) => tf.square(x))(tf.tensor1d([3])) as Tensor
    await tf.setBackend('attune-jit')
    expect(() => tf.add(y, 1)).toThrow(expect.objectContaining({ code: 'NOT_COMPILED' }))
    expect(tf.reshape(y, [1, 1]).shape).toEqual([1, 1])
    await tf.setBackend('cpu')
  })

  it('does not leak tensors over 500 steps', () => {
    const f = jit((x: Tensor) => tf.grad((y) => tf.sum(tf.square(tf.matMul(y, y))))(x), { donate: [0] })
    let x = f(tf.zeros([8, 8])) as Tensor
    const before = tf.memory().numTensors
    for (let i = 0; i < 500; i++) x = f(x) as Tensor
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('a graph', () => {
  const params = () => ({
    'n.weight': tf.ones([96]),
    'n.bias': tf.zeros([96]),
    'l.weight': random(96, 96),
    'l.bias': random(96),
  })

  it('fuses a layer norm, a linear layer and GELU into one operation each', () => {
    const f = jit((p: ReturnType<typeof params>, x: Tensor) => gelu(linear(p, 'l', layerNorm(p, 'n', x, 1e-5))))
    f(params(), random(4, 96))
    expect(operations(f.graphs)).toEqual({ LayerNormalization: 1, Mul: 1, Gemm: 1, Gelu: 1, Add: 1 })
  })

  it('fuses the tanh approximation of GELU, but not if its gradient reads the tanh', async () => {
    const f = jit((x: Tensor) => geluTanh(tf.matMul(x, x)))
    const x = random(8, 8)
    const found = await f(x).data()
    expect(operations(f.graphs)).toEqual({ MatMul: 1, Gelu: 1 })
    const { values } = tf.tidy(() => ({ values: tf.matMul(x, x).arraySync() as number[][] }))
    for (const [i, v] of values.flat().entries())
      expect(found[i]).toBeCloseTo(0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))), 4)
    const both = jit((y: Tensor) => ({ y: geluTanh(y), slope: tf.grad((z: Tensor) => geluTanh(z))(y) }))
    both(x)
    expect(operations(both.graphs)).not.toHaveProperty('Gelu')
  })

  it('computes Φ of GELU separately if its gradient reads it', () => {
    const f = jit((x: Tensor, g: Tensor) => tf.grads((y: Tensor) => gelu(y))([x], g)[0]!)
    f(random(4, 96), random(4, 96))
    expect(operations(f.graphs)).toMatchObject({ Erf: 1, HardSigmoid: 1, Exp: 1, Div: 1 })
    const both = jit((x: Tensor) => ({ y: gelu(x), slope: tf.grad((y: Tensor) => gelu(y))(x) }))
    both(random(4, 96))
    expect(operations(both.graphs)).not.toHaveProperty('Gelu')
  })

  it('folds constants', async () => {
    const positions = (): Tensor => tf.outerProduct(tf.range(0, 20), tf.exp(tf.range(0, 8)).toFloat() as tf.Tensor1D)
    const f = jit((x: Tensor) => tf.add(x, tf.sin(tf.div(positions(), 100))))
    const found = await (f(tf.ones([20, 8])) as Tensor).data()
    expect(operations(f.graphs)).toEqual({ Add: 1 })
    const wanted = await tf.add(1, tf.sin(tf.div(positions(), 100))).data()
    found.forEach((n, i) => expect(n).toBeCloseTo(wanted[i]!, 4))
    const constant = jit((x: Tensor) => ({ x, root: tf.sqrt(tf.fill([3], 2)), row: tf.sqrt(tf.range(0, 100)) }))
    const { root, row } = constant(tf.ones([1]))
    expect([(await root.data())[2], (await row.data())[49], (await row.data())[99]]).toEqual([
      Math.fround(Math.SQRT2),
      7,
      Math.fround(Math.sqrt(99)),
    ])
  })

  it('combines scalar factors before they are multiplied with tensors', async () => {
    const f = jit((x: Tensor, a: Tensor, b: Tensor) => tf.div(tf.mul(a, tf.square(tf.mul(b, x))), tf.add(a, b)))
    const found = f(tf.fill([2, 2], 3), tf.scalar(2), tf.scalar(5)) as Tensor
    expect((await found.data())[3]).toBeCloseTo((2 * (5 * 3) ** 2) / 7, 4)
    const tensorWide = nodesOf([...f.graphs.values()][0]!.graph.outputs).filter(
      ({ outputs }) => outputs[0]!.shape.length > 0,
    )
    expect(tensorWide.map(({ op }) => op)).toEqual(['Mul', 'Mul']) // the square, and the product with all factors
  })

  it('eliminates common subexpressions and dead code', () => {
    const f = jit((x: Tensor) => {
      tf.exp(x)
      return { a: tf.add(tf.tanh(x), tf.tanh(x)), b: tf.mul(tf.ones([3]), tf.add(x, tf.zerosLike(x))) }
    })
    f(tf.zeros([3]))
    expect(operations(f.graphs)).toEqual({ Tanh: 1, Add: 1 })
  })

  it('encodes as an .onnx file that names its producer, operations and operator sets', () => {
    const f = jit((x: Tensor) => tf.matMul(x, x, true))
    f(random(3, 3))
    const text = Buffer.from(encodeModel([...f.graphs.values()][0]!.graph)).toString('latin1')
    for (const word of ['attune', 'FusedMatMul', 'transA', 'com.microsoft']) expect(text).toContain(word)
  })

  it('saves large constants to a separate file, and runs from both files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-graph-'))
    const table = [random(600, 700), random(700, 500)] as const
    const f = jit((x: Tensor) => tf.add(tf.matMul(tf.matMul(x, table[0]), table[1]), 0.5))
    const x = random(3, 600)
    const wanted = await (f(x) as Tensor).data()
    const [{ graph } = {} as Program] = f.graphs.values()
    saveGraph(graph, join(folder, 'product.onnx'))
    expect(readdirSync(folder)).toEqual(['product.onnx', 'product.onnx.data'])
    const session = await InferenceSession.create(join(folder, 'product.onnx'))
    const feeds = { [session.inputNames[0]!]: new OrtTensor('float32', await x.data<'float32'>(), [3, 600]) }
    const { data } = (await session.run(feeds))[session.outputNames[0]!]!
    ;(data as Float32Array).forEach((n, i) => expect(Math.abs(n - wanted[i]!)).toBeLessThan(1e-3))
    rmSync(folder, { recursive: true })
  })

  it('matches TF.js over ten steps of Adam with weight decay on a small network', async () => {
    const loss = (w: Tensor, x: Tensor): Scalar => tf.mean(tf.square(tf.tanh(tf.matMul(x, w))))
    const step = (s: { w: Tensor; m: Tensor; v: Tensor }, x: Tensor, t: Tensor) => {
      const g = tf.grad((w) => loss(w, x))(s.w)
      const m = tf.add(tf.mul(0.9, s.m), tf.mul(0.1, g))
      const v = tf.add(tf.mul(0.999, s.v), tf.mul(0.001, tf.square(g)))
      const root = tf.sqrt(tf.sub(1, tf.pow(0.999, t)))
      const direction = tf.div(tf.div(m, tf.sub(1, tf.pow(0.9, t))), tf.add(tf.div(tf.sqrt(v), root), 1e-8))
      return { w: tf.add(s.w, tf.mul(-0.01, tf.add(direction, tf.mul(0.1, s.w)))), m, v }
    }
    const start = () => ({ w: random(12, 9), m: tf.zeros([12, 9]), v: tf.zeros([12, 9]) })
    const x = random(20, 12)
    const compiled = jit(step, { donate: [0] })
    let [eager, fast] = [start(), start()]
    for (let t = 1; t <= 10; t++) {
      eager = step(eager, x, tf.scalar(t))
      fast = compiled(fast, x, tf.scalar(t))
    }
    const [wanted, found] = [await eager.w.data(), await fast.w.data()]
    wanted.forEach((n, i) => expect(Math.abs(n - found[i]!)).toBeLessThan(1e-5))
  })
})
