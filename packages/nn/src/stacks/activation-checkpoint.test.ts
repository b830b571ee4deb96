import { beforeAll, describe, expect, it } from '@jest/globals'
import { type Mode, type Params, key } from '@attune/core'
import { type Tensor, add, enableProdMode, engine, memory, mul, sum, tanh, tensor, tidy } from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs'
import { dropout, modeAt } from '../layers/dropout.js'
import { registerDropoutMask } from '../layers/dropout-mask.js'
import { normal } from '../layers/initialise.js'
import { linear } from '../layers/linear.js'
import { under } from '../layers/parameter.js'
import { activationCheckpoint } from './activation-checkpoint.js'

const LAYERS = 3
let layersComputed = 0

const layer = (params: Params, at: string, x: Tensor, mode: Mode): Tensor => {
  layersComputed++
  return add(x, dropout(tanh(linear(params, `${at}.dense`, x)), 0.3, mode))
}

/** The sum of a small network's outputs and its gradients with respect to all inputs. */
function run(gradientCheckpointing: boolean) {
  const weights = Object.fromEntries(
    Array.from({ length: LAYERS }, (_, i) => [
      [`layer.${i}.dense.weight`, normal(key(i), [4, 4], 1)],
      [`layer.${i}.dense.bias`, normal(key(i + 9), [4], 1)],
    ]).flat() as [string, Tensor][],
  )
  const names = Object.keys(weights)
  const seed = tensor([3, 4], [2], 'int32')
  const mode: Mode = { training: true, key: { seed, stream: 0 }, gradientCheckpointing }
  const x = normal(key(77), [5, 4], 1)
  layersComputed = 0
  const { value, grads } = engine().gradients(() => {
    let y: Tensor = mul(x, x)
    for (let i = 0; i < LAYERS; i++) {
      const at = `layer.${i}`
      y = activationCheckpoint((own, z) => layer(own, at, z!, modeAt(mode, i)), under(weights, `${at}.`), [y], mode)
    }
    return sum(mul(y, y))
  }, [x, ...names.map((name) => weights[name]!)])
  return { values: [value, ...grads].map((each) => Array.from(each.dataSync())), computed: layersComputed }
}

function tidied(gradientCheckpointing: boolean): ReturnType<typeof run> {
  let result: ReturnType<typeof run> | undefined
  tidy(() => void (result = run(gradientCheckpointing)))
  return result!
}

describe('activationCheckpoint', () => {
  beforeAll(() => {
    enableProdMode()
    registerDropoutMask('cpu')
  })

  it('returns the outputs and gradients of the layers, including dropout', () => {
    const [kept, again] = [tidied(false), tidied(true)]
    expect([kept.computed, again.computed]).toEqual([LAYERS, 2 * LAYERS])
    expect(again.values.length).toBe(2 + 2 * LAYERS)
    for (const [i, values] of again.values.entries()) {
      expect(values.some((value) => value !== 0)).toBe(true)
      for (const [j, value] of values.entries()) expect(value).toBeCloseTo(kept.values[i]![j]!, 6)
    }
  })

  it('frees its intermediates', () => {
    const before = memory().numTensors
    tidy(() => void run(true))
    expect(memory().numTensors).toBe(before)
  })

  it('computes once in inference', () => {
    layersComputed = 0
    tidy(() => {
      const weights = { 'a.dense.weight': normal(key(1), [4, 4], 1), 'a.dense.bias': normal(key(2), [4], 1) }
      const mode = { training: false } as const
      activationCheckpoint((own, z) => layer(own, 'a', z!, mode), weights, [normal(key(3), [2, 4], 1)], mode)
    })
    expect(layersComputed).toBe(1)
  })
})
