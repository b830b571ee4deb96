import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type HostArray, type Mode, type Params, type TextInputs, key } from '@attune/core'
import { normal } from '@attune/nn'
import {
  describeModel,
  expectClose,
  gradientsOf,
  integers,
  readModelGoldens,
  referenceEngine,
  textInputs,
} from '@attune/testkit'
import { type Scalar, type Tensor, add, mul, sum } from '@tensorflow/tfjs-core'
import { xlnet } from './xlnet.js'

const goldens = readModelGoldens(xlnet, 'golden')

describeModel(xlnet, {
  options: { ...goldens['classification']!.options, dropout: 0.1, maximumLength: 32 },
  goldens: Object.values(goldens),
})

it('rejects a hidden size that is not a multiple of the number of heads', () => {
  expect(() => xlnet({ dModel: 30, nHead: 4 })).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
})

it('rejects configurations that it does not implement', () => {
  for (const option of [{ attnType: 'uni' }, { biData: true }, { summaryType: 'mean' }])
    expect(() => xlnet(option as never)).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
})

const model = xlnet({ ...goldens['permuted']!.options, dropout: 0.3, initializerRange: 0.3 })

/** Five tokens with targets at positions 1 and 3, of which 3 comes first in the permutation. */
const targeted = (ids: readonly number[]) => ({
  ...textInputs([ids]),
  permutationMask: integers([...'0101001000010100101001010'].map(Number), [1, 5, 5]),
  targetMapping: integers([0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 2, 5]),
})

/** Parameters that depend on differing token types, which these texts do not have. */
const TYPES = (at: string): string[] => ['r_s_bias', 'seg_embed'].map((name) => `${at}.rel_attn.${name}`)

describe('two-stream attention', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it('hides a target’s own token and later targets from its query, and shows earlier ones', async () => {
    const params = model.init(key(1))
    const rows = async (ids: readonly number[]): Promise<[HostArray, HostArray]> => {
      const outputs = model.forward(params, engine.put(targeted(ids)) as TextInputs, { training: false })
      const { states } = (await engine.read({ states: outputs.lastHiddenState })) as { states: HostArray }
      expect(states.shape).toEqual([1, 2, 16])
      const row = (i: number): HostArray => ({ ...states, values: states.values.slice(i * 16, i * 16 + 16) })
      return [row(0), row(1)]
    }
    const [atOne, atThree] = await rows([7, 3, 9, 4, 12])
    const [otherOne, stillThree] = await rows([7, 20, 9, 4, 12])
    expectClose([otherOne, stillThree], [atOne, atThree], 1e-6)
    const [movedOne, sameThree] = await rows([7, 3, 9, 21, 12])
    expectClose(sameThree, atThree, 1e-6)
    expect(movedOne).not.toEqual(atOne)
  })

  it('returns the same gradients with gradient checkpointing, including that of the mask embedding', async () => {
    const step = { seed: engine.put(integers([1, 2])) as Tensor, stream: 0 }
    const inputs = engine.put(targeted([7, 3, 9, 4, 12])) as TextInputs
    const found = async (gradientCheckpointing: boolean): Promise<Record<string, HostArray>> => {
      const mode: Mode = { training: true, key: step, gradientCheckpointing }
      const weigh = (x: Tensor): Tensor => sum(mul(x, normal(key(5), x.shape, 1)))
      const loss = (p: Params): Scalar => {
        const { lastHiddenState, pooled } = model.forward(p, inputs, mode)
        return add(weigh(lastHiddenState), weigh(pooled))
      }
      return (await engine.read(gradientsOf(loss, model.init(key(1))))) as Record<string, HostArray>
    }
    const once = await found(false)
    expectClose(await found(true), once, 1e-5)
    expect(Object.keys(once).filter((name) => once[name]!.values.every((g) => Math.abs(g) < 1e-6))).toEqual([
      ...TYPES('transformer.layer.0'),
      ...TYPES('transformer.layer.1'),
    ])
  })
})
