import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Example, Objective } from '@attune/core'
import { describeObjective, expectClose, floats, referenceEngine } from '@attune/testkit'
import { tinyModel, tinyTokenizer } from '@attune/testkit/tiny'
import { type Tensor } from '@tensorflow/tfjs-core'
import { rewardModeling } from './reward-modeling.js'

const examples: readonly Example[] = [
  { prompt: 'ab ', chosen: 'cde', rejected: 'f', by: 0.5 },
  { prompt: 'a', chosen: 'yes', rejected: 'no', by: 1 },
  { chosen: 'good text', rejected: 'bad text', by: '2' },
  { chosen: 'it is so', rejected: 'it is not', by: 0 },
  { prompt: 'x', chosen: 'yy', rejected: 'z', by: 1 },
  { prompt: 'p', chosen: '', rejected: 'longer', by: 0 },
]
const given = { model: tinyModel(), tokenizer: tinyTokenizer() }
describeObjective(rewardModeling, {
  given,
  options: { margin: 'by', centering: 0.1 },
  references: [],
  examples,
  textsPerExample: 2,
})

describe('reward loss', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it('is the Bradley–Terry loss with margin and centering', async () => {
    const objective = rewardModeling({ margin: 'by', centering: 0.1 }, given) as Objective
    const { margins } = objective.collate(examples.slice(0, 2).map((example) => objective.encode(example)))
    const loss = engine.compile(
      (rewards: Tensor, of: Tensor) => objective.loss(rewards, { inputs: {}, margins: of } as never).losses,
    )
    const found = loss(engine.put(floats([1, -0.5, 0.25, 2], [4])), engine.put(margins as never) as never)
    const bradleyTerry = (chosen: number, rejected: number, margin: number) =>
      Math.log1p(Math.exp(-(chosen - rejected - margin))) + 0.1 * (chosen + rejected) ** 2
    const expected = [bradleyTerry(1, 0.25, 0.5), bradleyTerry(-0.5, 2, 1)]
    expectClose({ found: await engine.read(found) }, { found: floats(expected, [2]) }, 1e-6)
  })

  it('is 0 with weight 0 for single texts, which have only a reward', async () => {
    const objective = rewardModeling({}, given) as Objective
    const items = [{ text: 'one' }, { prompt: 'two ', completion: 'three' }].map((row) =>
      objective.encodeUnlabelled(row),
    )
    const { unpaired, margins } = objective.collate(items)
    const batch = engine.put({ unpaired, margins } as never)
    const loss = engine.compile((rewards: Tensor, of: object) =>
      objective.loss(rewards, { inputs: {}, ...of } as never),
    )
    const zeros = floats([0, 0], [2])
    expectClose(await engine.read(loss(engine.put(zeros), batch as never)), { losses: zeros, weights: zeros }, 0)
    expect(objective.predict(floats([3, 4], [2]), items)).toEqual([{ reward: 3 }, { reward: 4 }])
  })
})

it('predicts both rewards of a pair, their margin, and the preferred text', () => {
  const objective = rewardModeling({}, given) as Objective
  const items = examples.slice(0, 2).map((example) => objective.encode(example))
  expect(objective.predict(floats([2, 1, -1, 4], [4]), items)).toEqual([
    { label: 'chosen', reward: 2, rejected: -1, margin: 3 },
    { label: 'rejected', reward: 1, rejected: 4, margin: -3 },
  ])
})

it('saves the class of one label', () => {
  const { config } = rewardModeling({}, given) as Objective
  expect(config).toMatchObject({ id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } })
})

it.each([undefined, 'much'])('refuses the margin %j', (by) => {
  const objective = rewardModeling({ margin: 'by' }, given) as Objective
  expect(() => objective.encode({ chosen: 'a', rejected: 'b', by })).toThrow(
    expect.objectContaining({ code: 'MISSING_FIELD' }),
  )
})
