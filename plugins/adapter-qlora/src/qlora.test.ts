import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type HostArray, type Mode, type Model, type Params, key, mapParams } from '@attune/core'
import { linear, normal } from '@attune/nn'
import { describeAdapter, expectClose, gradientsOf, referenceEngine, textInputs, tinyModel } from '@attune/testkit'
import { type Scalar, type Tensor, add, square, sum, tensor1d } from '@tensorflow/tfjs-core'
import { qlora } from './qlora.js'

describeAdapter(qlora)
describeAdapter(qlora, { options: { rank: 2, targets: 'all-linear', doubleQuantization: false } })

const engine = referenceEngine()
const given = { engine, randomness: key(3) }
const model = tinyModel()
beforeAll(() => engine.start())
afterAll(() => engine.close())

const moved = (params: Params): Params => mapParams((p) => add(p, normal(key(p.size), p.shape, 0.3)), params)

describe('qlora', () => {
  it('freezes every linear layer in NF4, and the other parameters in float32', async () => {
    const params = model.init(key(1))
    const { frozen } = await qlora({}, given).adapt(model, params)
    const layer = 'tiny.encoder.layer.0.intermediate.dense.weight'
    const own = Object.entries(frozen).filter(([name]) => name.startsWith(layer))
    expect(own.map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      [`${layer}.nf4`, 'int32', [16]], // 96 weights: two blocks of 64
      [`${layer}.absmax`, 'int32', [1]],
      [`${layer}.nested_absmax`, 'float32', [1]],
      [`${layer}.nested_offset`, 'float32', [1]],
    ])
    expect(Object.keys(frozen).filter((name) => name.endsWith('.nf4'))).toHaveLength(11)
    expect(frozen['tiny.embeddings.word_embeddings.weight']).toBe(params['tiny.embeddings.word_embeddings.weight'])
  })

  it('stores weights of shape [in, out] as [out, in], and merges them back', async () => {
    const name = 'tiny.encoder.layer.0.wide'
    const inputFirst: Model = {
      ...model,
      inputFirst: true,
      forward(params, inputs) {
        const y = linear(params, name, normal(key(4), [2, 3, 4], 1), { inputFirst: true, bias: false })
        return { lastHiddenState: y, pooled: y, ...(inputs.cache === undefined ? {} : { cache: inputs.cache }) }
      },
    }
    const weight = normal(key(1), [4, 6], 1)
    const adapter = qlora({ targets: ['wide'], rank: 2 }, given)
    const { model: changed, trainable, frozen, merge } = await adapter.adapt(inputFirst, { [`${name}.weight`]: weight })
    const trained = moved(trainable)
    const inputs = engine.put(textInputs([[1]]))
    const output = (of: Model, p: Params) => engine.read(of.forward(p, inputs, { training: false }).lastHiddenState)
    expectClose(
      await output(inputFirst, merge!(trained, frozen)),
      await output(changed, { ...frozen, ...trained }),
      1e-5,
    )
    const rounded = merge!(trainable, frozen)[`${name}.weight`]!
    expectClose(await engine.read({ rounded }), await engine.read({ rounded: weight }), 0.35)
  })

  it('returns the same gradients with gradient checkpointing', async () => {
    const adapter = qlora({ dropout: 0.2, targets: 'all-linear' }, given)
    const { model: changed, trainable, frozen } = await adapter.adapt(model, model.init(key(1)))
    const inputs = engine.put(textInputs([[7, 3, 9], [5, 8]])) // prettier-ignore
    const lossOf = (all: Params, mode: Mode): Scalar => {
      const { lastHiddenState, pooled } = changed.forward(all, inputs, mode)
      return add(sum(square(add(lastHiddenState, 1))), sum(square(pooled))) as Scalar
    }
    const gradients = (gradientCheckpointing: boolean) =>
      engine.read(
        engine.compile((t: Params, seed: Tensor) => {
          const mode: Mode = { training: true, key: { seed, stream: 0 }, gradientCheckpointing }
          return gradientsOf((p) => lossOf({ ...frozen, ...p }, mode), t)
        })(moved(trainable), tensor1d([1, 2], 'int32')),
      )
    const kept = (await gradients(false)) as Record<string, HostArray>
    expect(Object.values(kept).every(({ values }) => values.some((g) => g !== 0))).toBe(true)
    expectClose(await gradients(true), kept, 1e-5)
  })
})
