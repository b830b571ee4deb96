import '@tensorflow/tfjs'
import { describe, expect, it } from '@jest/globals'
import { type Tensor, add, enableProdMode, engine, mul, setBackend, tensor1d } from '@tensorflow/tfjs-core'
import { jit } from './jit.js'
import { registerHostKernel } from './register.js'

describe('registerHostKernel', () => {
  it('computes the kernel once per run for each combination of attributes and inputs', async () => {
    enableProdMode()
    await setBackend('cpu')
    let computed = 0
    registerHostKernel({
      kernelName: 'TestRamp',
      compute({ by }, into, start) {
        computed++
        into.forEach((_, i) => (into[i] = Number(start![0]) + i * Number(by)))
      },
    })
    const ramp = (start: Tensor, by: number): Tensor =>
      engine().runKernel('TestRamp', { start }, { by, shape: [3] } as never) as unknown as Tensor
    const f = jit((a: Tensor, b: Tensor) => ({
      once: add(ramp(a, 1), mul(2, ramp(a, 1))),
      others: add(ramp(a, 10), ramp(b, 1)),
    }))
    for (const runs of [1, 2]) {
      const { once, others } = f(tensor1d([4]), tensor1d([5]))
      expect([...(await once.data())]).toEqual([12, 15, 18])
      expect([...(await others.data())]).toEqual([9, 20, 31])
      expect(computed).toBe(3 * runs)
    }
  })
})
