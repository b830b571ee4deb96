import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Adapted, type HostArray, type Params, key } from '@attune/core'
import { lowRankConfig, normal, toPeft } from '@attune/nn'
import { describeAdapter, expectClose, referenceEngine, tinyModel } from '@attune/testkit'
import { matMul, mul, sub } from '@tensorflow/tfjs-core'
import { pissa } from './pissa.js'

describeAdapter(pissa)
describeAdapter(pissa, { options: { rank: 2, alpha: 1, targets: 'all-linear' } })

describe('pissa', () => {
  const engine = referenceEngine()
  const model = tinyModel()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const LAYER = 'tiny.encoder.layer.1.intermediate.dense'
  const [DOWN, UP] = [`${LAYER}.lora_A.weight`, `${LAYER}.lora_B.weight`]
  const adapt = (options: Parameters<typeof pissa>[0], saved?: Parameters<ReturnType<typeof pissa>['adapt']>[2]) =>
    pissa({ targets: ['1.intermediate.dense'], ...options }, { engine }).adapt(model, model.init(key(1)), saved)

  it('saves a plain LoRA of twice the rank: the difference from the untouched weights', async () => {
    const adapted: Adapted = await adapt({ rank: 2, alpha: 3 })
    const trained = { ...adapted.trainable, [UP]: normal(key(4), [12, 2], 0.3) }
    const saved = adapted.tensors!(trained)
    const [down, up] = [saved[`base_model.model.${DOWN}`]!, saved[`base_model.model.${UP}`]!]
    expect([down.shape, up.shape]).toEqual([
      [4, 8],
      [12, 4],
    ])
    expect(adapted.config).toMatchObject({ peft_type: 'LORA', r: 4, lora_alpha: 6, init_lora_weights: true })
    const moved = sub(
      adapted.merge!(trained, adapted.frozen)[`${LAYER}.weight`]!,
      model.init(key(1))[`${LAYER}.weight`]!,
    )
    expectClose(await engine.read(mul(matMul(up, down), 6 / 4)), await engine.read(moved), 1e-5)
  })

  it('freezes a residual without the principal components', async () => {
    const { frozen, trainable } = await adapt({ rank: 3, alpha: 3 })
    const products = (await engine.read({
      right: matMul(frozen[`${LAYER}.weight`]!, trainable[DOWN]!, false, true),
      left: matMul(frozen[`${LAYER}.weight`]!, trainable[UP]!, true),
    } as Params)) as Record<string, HostArray>
    for (const { values } of Object.values(products)) expect(Math.max(...[...values].map(Math.abs))).toBeLessThan(1e-5)
  })

  it('rejects a rank above the number of singular values', async () => {
    await expect(adapt({ rank: 9 })).rejects.toMatchObject({
      code: 'BAD_OPTIONS',
      problem: expect.stringContaining('8'),
    })
  })

  it('rejects a LoRA adapter that was not converted from PiSSA, of even and of odd rank', async () => {
    for (const rank of [3, 4]) {
      const factors = { layers: [LAYER], rank, alpha: 8 }
      const tensors = toPeft({ [DOWN]: normal(key(1), [rank, 8], 1), [UP]: normal(key(2), [12, rank], 1) })
      const config = lowRankConfig(factors, { dropout: 0, heads: [], inputFirst: false })
      await expect(adapt({}, { saved: { config, tensors } })).rejects.toMatchObject({
        code: 'BAD_ADAPTER',
        remedy: expect.stringContaining('use: lora'),
      })
    }
  })
})
