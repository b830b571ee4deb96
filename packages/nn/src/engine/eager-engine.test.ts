import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { AttuneError, type Engine, type HostArray, type Tree } from '@attune/core'
import { type Tensor, add, cast, getBackend, greater, mul, reshape, square } from '@tensorflow/tfjs-core'
import { eagerEngine } from '../index.js'

const floats = (...values: number[]): HostArray => ({
  shape: [values.length],
  dtype: 'float32',
  values: Float32Array.from(values),
})

describe.each(['cpu', 'wasm'])('the eager engine on %s', (backend) => {
  const engine = eagerEngine({ backend, device: `TF.js ${backend}`, load: () => Promise.resolve() })
  beforeAll(() => engine.start())
  const alive = (tensor: Tensor): boolean => !tensor.isDisposed

  it('keeps keys, shapes and dtypes of trees in put and read, including empty records and unusual names', async () => {
    const tree = {
      float: { shape: [2, 1], dtype: 'float32', values: Float32Array.of(-0.5, 3e38) },
      deep: {
        whole: { shape: [3], dtype: 'int32', values: Int32Array.of(-1, 2 ** 31 - 1, -(2 ** 31)) },
        truth: { shape: [1, 3], dtype: 'bool', values: Uint8Array.of(1, 0, 1) },
        scalar: { shape: [], dtype: 'float32', values: Float32Array.of(7) },
      },
      nothing: {},
      'a/b': { shape: [1], dtype: 'int32', values: Int32Array.of(4) },
    } as const
    const tensors = engine.put(tree)
    expect([tensors.deep.whole.dtype, tensors.deep.truth.dtype, tensors.float.shape]).toEqual(['int32', 'bool', [2, 1]])
    expect(await engine.read(tensors)).toEqual(tree)
    engine.release(tensors)
  })

  it('copies in both directions: changes to the host arrays do not reach the device', async () => {
    const array = floats(1, 2)
    const tensor = engine.put(array)
    array.values[0] = 99
    const once = await engine.read(tensor)
    once.values[1] = 99
    expect([...(await engine.read(tensor)).values]).toEqual([1, 2])
    engine.release(tensor)
  })

  it('frees intermediates, and keeps results and arguments', async () => {
    const x = engine.put(floats(1, 2, 3))
    const before = engine.live()
    const result = engine.compile((a: Tensor) => ({ sum: add(square(a), mul(a, 2)), deep: { truth: greater(a, 1) } }))(
      x,
    )
    expect(engine.live()).toBe(before + 2)
    expect(await engine.read(result)).toMatchObject({ sum: floats(3, 8, 15), deep: { truth: { dtype: 'bool' } } })
    engine.release(result)
    expect([engine.live(), alive(x)]).toEqual([before, true])
    engine.release(x)
  })

  it('frees donated arguments, and keeps those that are results or share memory with a result', async () => {
    const [a, b, c, d] = [floats(1, 2), floats(3, 4), floats(5, 6), floats(7, 8)].map((array) => engine.put(array)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ]
    const before = engine.live()
    const run = engine.compile(
      (given: { a: Tensor; b: Tensor }, c: Tensor, d: Tensor) => ({
        same: given.a,
        reshaped: reshape(c, [2, 1]),
        sum: add(given.b, d),
      }),
      { donate: [0, 1] },
    )
    const result = run({ a, b }, c, d)
    expect([a, b, c, d].map(alive)).toEqual([true, false, false, true])
    expect(engine.live()).toBe(before)
    expect([...(await engine.read(result.same)).values]).toEqual([1, 2])
    expect([...(await engine.read(result.reshaped)).values]).toEqual([5, 6])
    expect([...(await engine.read(result.sum)).values]).toEqual([10, 12])
    engine.release(result)
    engine.release(result)
    engine.release(d)
    expect(engine.live()).toBe(before - 4)
  })

  it('accepts the same tensor twice among donated arguments and results', async () => {
    const x = engine.put(floats(1))
    const result = engine.compile((a: Tensor, b: Tensor) => ({ a, b }), { donate: [0, 1] })(x, x)
    expect([...(await engine.read(result.b)).values]).toEqual([1])
    engine.compile((a: Tensor, b: Tensor) => add(a, b), { donate: [0, 1] })(x, x)
    expect(alive(x)).toBe(false)
  })

  it('frees intermediates and keeps arguments if the function throws', () => {
    const x = engine.put(floats(1, 2))
    const before = engine.live()
    const run = engine.compile(
      (a: Tensor): Tree => {
        add(square(a), cast(a, 'int32'))
        throw new AttuneError('A_TEST', 'thrown in the middle', 'Nothing to do.')
      },
      { donate: [0] },
    )
    expect(() => run(x)).toThrow(expect.objectContaining({ code: 'A_TEST' }))
    expect([engine.live(), alive(x)]).toEqual([before, true])
    engine.release(x)
  })

  it('keeps results after the compiled function is disposed', async () => {
    const run = engine.compile((a: Tensor) => mul(a, 3))
    const result = run(engine.put(floats(2)))
    run.dispose()
    expect([...(await engine.read(result)).values]).toEqual([6])
  })

  it('accepts functions without arguments and results without tensors', () => {
    expect(engine.compile(() => ({}))()).toEqual({})
  })
})

describe('several eager engines', () => {
  it('compute on their own backends regardless of start order, and accept each other’s tensors', async () => {
    const [cpu, wasm] = ['cpu', 'wasm'].map((backend) =>
      eagerEngine({ backend, device: '', load: () => Promise.resolve() }),
    ) as [Engine, Engine]
    await wasm.start()
    await cpu.start()
    const used: string[] = []
    const double = (x: Tensor): Tensor => (used.push(getBackend()), mul(x, 2))
    const [onWasm, onCpu] = [wasm.compile(double), cpu.compile(double)]
    const x = wasm.put(floats(1, 2))
    const result = onWasm(onCpu(onWasm(x)))
    expect(used).toEqual(['wasm', 'cpu', 'wasm'])
    expect([...(await cpu.read(result)).values]).toEqual([8, 16])
  })

  it('reject an unknown backend', async () => {
    const none = eagerEngine({ backend: 'none', device: 'Nothing', load: () => Promise.resolve() })
    await expect(none.start()).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem: expect.stringContaining('none'),
    })
  })
})
