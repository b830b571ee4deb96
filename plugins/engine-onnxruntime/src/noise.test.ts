import { expect, it } from '@jest/globals'
import { type HostArray, type StepKey } from '@attune/core'
import { noise } from '@attune/nn'
import { referenceEngine } from '@attune/testkit'
import { type Tensor, add, mul } from '@tensorflow/tfjs-core'
import { onnxruntime } from './onnxruntime.js'

it.each(['uniform', 'normal'] as const)(
  'samples the same %s noise as the reference engine, bit for bit, at every seed',
  async (distribution) => {
    const [ours, reference] = [onnxruntime({}), referenceEngine()]
    const drawn: Record<string, unknown> = {}
    for (const [name, engine] of Object.entries({ ours, reference })) {
      await engine.start()
      const key = (seed: Tensor, stream: number): StepKey => ({ seed, stream })
      const program = engine.compile((seed: Tensor) => ({
        alone: noise(key(seed, 1), [31, 7], distribution),
        inside: add(mul(noise(key(seed, 2), [8], distribution), 2), 1),
      }))
      const at = (...values: number[]): Promise<unknown> =>
        engine.read(
          program(engine.put({ shape: [2], dtype: 'int32', values: Int32Array.from(values) } as HostArray) as Tensor),
        )
      drawn[name] = [await at(1, 2), await at(1, 3), await at(1, 2)]
      await engine.close()
    }
    const [first, other, again] = drawn['ours'] as unknown[]
    expect(drawn['ours']).toEqual(drawn['reference'])
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
  },
)
