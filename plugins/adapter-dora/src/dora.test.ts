import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Adapted, type HostArray, type Params, key, mapParams } from '@attune/core'
import { normal } from '@attune/nn'
import { describeAdapter, gradientsOf, referenceEngine, textInputs, tinyModel } from '@attune/testkit'
import { type Scalar, add, mul, square, sum, zerosLike } from '@tensorflow/tfjs-core'
import { dora } from './dora.js'

describeAdapter(dora)
describeAdapter(dora, { options: { rank: 2, alpha: 1, targets: 'all-linear' } })

describe('dora', () => {
  const engine = referenceEngine()
  const model = tinyModel()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const LAYER = 'tiny.encoder.layer.1.intermediate.dense'
  const [MAGNITUDE, UP] = [`${LAYER}.lora_magnitude_vector`, `${LAYER}.lora_B.weight`]

  const adapt = (params: Params) =>
    dora({ targets: ['intermediate.dense'] }, { engine, randomness: key(3) }).adapt(model, params) as Adapted
  const loss = ({ model: changed, frozen }: Adapted, trainable: Params): Scalar => {
    const inputs = engine.put(textInputs([[7, 3, 9], [5]]))
    const { lastHiddenState } = changed.forward({ ...frozen, ...trainable }, inputs, { training: false })
    return sum(square(add(lastHiddenState, 1)))
  }
  const value = async (tensor: Scalar) => ((await engine.read(tensor)) as HostArray).values[0]!

  it('has the gradient of the magnitudes by finite differences', async () => {
    const adapted = adapt(model.init(key(1)))
    const start = mapParams((p) => add(p, normal(key(p.size), p.shape, 0.1)), adapted.trainable)
    const direction = normal(key(9), start[MAGNITUDE]!.shape, 1)
    const at = (by: number) =>
      value(loss(adapted, { ...start, [MAGNITUDE]: add(start[MAGNITUDE]!, mul(by, direction)) }))
    const { [MAGNITUDE]: gradient } = gradientsOf((t) => loss(adapted, t), start)
    const slope = await value(sum(mul(gradient!, direction)))
    const expected = ((await at(0.05)) - (await at(-0.05))) / 0.1
    expect(Math.abs(slope - expected)).toBeLessThan(0.01 * Math.abs(expected))
  })

  it('treats the norm as a constant: a step of B along the weights changes the norm, and not the loss, yet has a gradient', async () => {
    // With W = B₀·A the update B = t·B₀ only stretches W: V does not change, and neither does the loss.
    const params = model.init(key(1))
    const fresh = adapt(params)
    const up = normal(key(5), fresh.trainable[UP]!.shape, 1)
    const down = fresh.trainable[`${LAYER}.lora_A.weight`]!
    const aligned = { ...params, [`${LAYER}.weight`]: up.matMul(down) }
    const adapted = adapt(aligned)
    const at = (by: number) => ({ ...adapted.trainable, [UP]: mul(by, up) })
    const [still, moved] = [await value(loss(adapted, at(0))), await value(loss(adapted, at(0.3)))]
    expect(Math.abs(still - moved)).toBeLessThan(1e-4 * still)
    const { [UP]: gradient } = gradientsOf((t) => loss(adapted, t), at(0))
    expect(Math.abs(await value(sum(mul(gradient!, up))))).toBeGreaterThan(0.01)
  })

  it('stays finite for an output whose weights are all zero', async () => {
    const params = model.init(key(1))
    const adapted = adapt({ ...params, [`${LAYER}.weight`]: zerosLike(params[`${LAYER}.weight`]!) })
    expect(await value(loss(adapted, adapted.trainable))).toEqual(expect.any(Number))
    expect(Number.isFinite(await value(loss(adapted, adapted.trainable)))).toBe(true)
    const { [MAGNITUDE]: gradient } = gradientsOf((t) => loss(adapted, t), adapted.trainable)
    expect([...((await engine.read(gradient!)) as HostArray).values].every(Number.isFinite)).toBe(true)
  })
})
