import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { HostArray, Params } from '@attune/core'
import { add, mul } from '@tensorflow/tfjs-core'
import { eagerEngine, lazyTensors } from '../index.js'

describe.each(['cpu', 'wasm'])('lazy tensors on %s', (backend) => {
  const engine = eagerEngine({ backend, device: `TF.js ${backend}`, load: () => Promise.resolve() })
  beforeAll(() => engine.start())

  /** Tensors `[1, 2]` and `[3, 4]`, with a log of the reads and of the end. */
  function logged() {
    const log: string[] = []
    const stored = (name: string, ...values: number[]) => ({
      shape: [2],
      read: () => (log.push(name), Float32Array.from(values)),
    })
    const tensors = lazyTensors({ a: stored('a', 1, 2), b: stored('b', 3, 4) }, () => log.push('closed'))
    return { log, a: tensors['a']!, b: tensors['b']!, tensors }
  }

  it('are read when an operation uses them, and only once', async () => {
    const live = engine.live()
    const { log, a, b } = logged()
    expect([log, a.shape, a.dtype]).toEqual([[], [2], 'float32'])
    const twice = engine.compile((x: Params) => ({ sum: add(mul(x['a']!, 2), x['a']!) }))
    for (let i = 0; i < 2; i++) {
      const { sum } = twice({ a })
      expect(await engine.read(sum)).toMatchObject({ values: Float32Array.of(3, 6) })
      engine.release(sum)
    }
    expect(log).toEqual(['a'])
    engine.release({ a, b })
    expect(log).toEqual(['a', 'closed'])
    expect(engine.live()).toBe(live)
  })

  it('are read again by every read on the host, which does not keep their values', async () => {
    const { log, tensors } = logged()
    for (let i = 0; i < 2; i++) {
      const { a, b } = (await engine.read(tensors)) as unknown as Readonly<Record<string, HostArray>>
      expect([a!.values, b!.values]).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 4)])
    }
    expect(log).toEqual(['a', 'b', 'a', 'b'])
    engine.release(tensors)
    expect(log.at(-1)).toBe('closed')
  })

  it('share their values with their reshaped copies until the last of them is disposed', async () => {
    const { log, a, b } = logged()
    engine.release(b)
    const row = a.reshape([1, 2])
    engine.release(a)
    expect(await engine.read(row)).toMatchObject({ shape: [1, 2], values: Float32Array.of(1, 2) })
    engine.release(row)
    expect(log.filter((each) => each === 'closed')).toHaveLength(1)
  })

  it('close their source at once if there are none', () => {
    let closed = 0
    expect(lazyTensors({}, () => closed++)).toEqual({})
    expect(closed).toBe(1)
  })
})
