import type { HostArray, LossFunction, TextInputs } from '@attune/core'
import { layerStack, withHook } from '@attune/nn'
import { describeRegularizer, floats, integers, referenceEngine } from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Tensor, add, scalar } from '@tensorflow/tfjs-core'
import { stochasticDepth } from './stochastic-depth.js'

describeRegularizer(stochasticDepth, { options: { rate: 0.5 } })
describeRegularizer(stochasticDepth, { options: { rate: 0.5, scaled: true, unit: 'batch', decay: 'uniform' } })

describe('stochastic-depth', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const [rows, layers, seeds] = [40, 3, 50]

  /** Sums of a stack whose layer `i` adds `10^i`: its decimal digits are the layers that were applied. */
  const sums = async (options: object, seed: number, firstOnly = false): Promise<number[]> => {
    let states: Tensor | undefined
    const stack: LossFunction = ({ trainable, batch, mode, hook }) => {
      const { inputIds } = batch.inputs as unknown as TextInputs
      const out = layerStack(withHook(trainable, hook), inputIds, [], mode, {
        count: layers,
        at: (index) => `layer.${index}`,
        layer: (_, x, __, { index }) => add(x, 10 ** index),
      })
      states = firstOnly ? out.first : out.x
      return { sum: scalar(0), weight: scalar(1) }
    }
    const key = { seed: engine.put(integers([seed, 3], [2])) as Tensor, stream: 0 }
    const inputs = { inputIds: engine.put(floats(new Array<number>(rows).fill(0), [rows, 1, 1])) }
    stochasticDepth(options as never).wrap(stack)({
      trainable: {},
      frozen: {},
      batch: { inputs },
      mode: { training: true, key },
    } as never)
    return [...((await engine.read(states!)) as HostArray).values]
  }
  const digits = (value: number): number[] => Array.from({ length: layers }, (_, i) => Math.floor(value / 10 ** i) % 10)
  const frequencies = async (options: object): Promise<number[]> => {
    const all = (await Promise.all(Array.from({ length: seeds }, (_, seed) => sums(options, seed)))).flat()
    return Array.from({ length: layers }, (_, i) => all.filter((value) => digits(value)[i] === 1).length / all.length)
  }

  it.each([
    ['linear', [1 - 0.2, 1 - 0.4, 1 - 0.6]],
    ['uniform', [0.4, 0.4, 0.4]],
  ] as const)('applies the layers with the probabilities of the %s rule', async (decay, expected) => {
    const found = await frequencies({ rate: 0.6, decay })
    // Five standard deviations of a frequency of 2,000 samples.
    found.forEach((frequency, i) =>
      expect(Math.abs(frequency - expected[i]!)).toBeLessThan((5 * 0.5) / Math.sqrt(rows * seeds)),
    )
  })

  it('skips a layer for all examples of a batch, or for single ones', async () => {
    const distinct = async (unit: string): Promise<number> =>
      new Set(await sums({ rate: 0.5, decay: 'uniform', unit }, 4)).size
    expect(await distinct('batch')).toBe(1)
    expect(await distinct('example')).toBeGreaterThan(1)
  })

  it('divides the change by the probability of a layer if scaled', async () => {
    const scaled = await sums({ rate: 0.5, decay: 'uniform', scaled: true }, 4)
    const plain = await sums({ rate: 0.5, decay: 'uniform' }, 4)
    expect(plain.some((value) => value > 0)).toBe(true)
    scaled.forEach((value, i) => expect(value).toBeCloseTo(2 * plain[i]!, 3))
  })

  it('skips layers of which only the first token is read', async () => {
    expect(await sums({ rate: 0.5, decay: 'uniform' }, 4, true)).toEqual(await sums({ rate: 0.5, decay: 'uniform' }, 4))
  })
})
