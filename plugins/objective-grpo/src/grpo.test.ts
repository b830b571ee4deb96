import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Encoded, Example, Objective, Params, RolloutHost } from '@attune/core'
import { describeObjective, expectClose, floats, gradientsOf, referenceEngine } from '@attune/testkit'
import { tinyModel, tinyTokenizer } from '@attune/testkit/tiny'
import { joinCompletion, rewardFunction } from '@attune/text'
import { type Scalar, type Tensor, div, mul, scalar, sum } from '@tensorflow/tfjs-core'
import { advantagesOf } from './advantages.js'
import { grpo, policyLosses } from './grpo.js'

const examples: readonly Example[] = ['a', 'bb', 'ccc', 'dd dd', 'e', 'fffffff'].map((prompt) => ({
  prompt,
  wanted: 'x',
}))
const given = { model: tinyModel(), tokenizer: tinyTokenizer() }
const wanted = rewardFunction('wanted', ({ completion, example }) => Number(completion === example['wanted']))
const short = rewardFunction('short', ({ completion }) => -completion.length)
/** A resolved plugin, as a run passes it. */
const resolved = { plugin: wanted, origin: { specifier: 'wanted' }, options: {} }
/** Completions of different lengths and advantages, as a rollout returns them. */
const afterRollout = (items: readonly Encoded[]): readonly Encoded[] =>
  (items as readonly (Encoded & { ids: readonly number[] })[]).map((item, i) => ({
    ...item,
    ...joinCompletion(item.ids, [7, 9, 5, 8].slice(i % 4), { maximumLength: 24 }),
    advantage: i - 2.5,
  }))
for (const average of ['completions', 'tokens'])
  describeObjective(grpo, {
    given,
    options: { rewards: resolved, average, beta: 0.1 },
    references: [],
    examples,
    afterRollout,
  })

const golden = JSON.parse(readFileSync('golden/grpo.json', 'utf8')) as {
  readonly source: string
  readonly groupSize: number
  readonly rewards: readonly number[]
  readonly advantages: Readonly<Record<'group' | 'batch' | 'none', readonly number[]>>
  readonly shape: [number, number]
  readonly cases: readonly {
    options: {
      average: 'completions' | 'tokens' | 'constant'
      beta: number
      maximumNewTokens: number
      epsilonLow?: number
      epsilonHigh?: number
      updatesPerRollout?: number
    }
    loss: number
    gradient: number[]
  }[]
} & Readonly<Record<'mask' | 'logProbs' | 'reference' | 'old', number[]>>

describe(`values of ${golden.source}`, () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it.each(['group', 'batch', 'none'] as const)('match the advantages scaled by: %s', (scale) => {
    const found = advantagesOf(golden.rewards, golden.groupSize, scale)
    for (const [i, expected] of golden.advantages[scale].entries()) expect(found[i]).toBeCloseTo(expected, 6)
  })

  it.each(golden.cases)('match the loss and its gradient: $options', async ({ options, loss, gradient }) => {
    const array = (values: number[]) => floats(values, golden.shape)
    const { mask, reference, logProbs, old } = golden
    const several = options.updatesPerRollout === undefined ? {} : { logProbs: array(old) }
    const advantages = floats(golden.advantages.group.slice(0, golden.groupSize), [golden.groupSize])
    const fixed = engine.put({ weights: array(mask), reference: array(reference), advantages, ...several }) as Record<
      string,
      Tensor
    >
    const value =
      (of: Record<string, Tensor>) =>
      (p: Params): Scalar => {
        const other = options.beta > 0 ? of['reference'] : undefined
        const found = policyLosses(
          p['logProbs']!,
          of as never,
          { epsilonLow: 0.2, epsilonHigh: 0.2, ...options },
          other,
        )
        return div(sum(mul(found.losses, found.weights)), sum(found.weights))
      }
    const both = engine.compile((p: Params, of: Record<string, Tensor>) => ({
      loss: value(of)(p),
      gradient: gradientsOf(value(of), p)['logProbs']!,
    }))
    const logs = engine.put({ logProbs: array(logProbs) }) as Params
    const expected = { loss: floats([loss], []), gradient: array(gradient) }
    expectClose(await engine.read(both(logs, fixed)), expected, 1e-6)
  })
})

/** A host that "samples" the given texts, and what the rollout reports to it. */
function host(texts: readonly (readonly [text: string, ended: boolean])[]) {
  const reports: Readonly<Record<string, number>>[] = []
  const asked: string[] = []
  const predict: RolloutHost['predict'] = (items) =>
    Promise.resolve(
      items.map(({ length }, row) => ({ logProbs: Array.from({ length: length - 1 }, (_, i) => -row - i / 8) })),
    )
  const sample = (prompts: readonly (readonly number[])[]): ReturnType<RolloutHost['sample']> => {
    asked.push(...prompts.map((ids) => ids.map((id) => given.tokenizer.token(id)).join('')))
    return Promise.resolve(
      texts.map(([text, ended]) => ({ text, ended, ids: given.tokenizer.encode(text).ids.slice(1, -1) })),
    )
  }
  const report = (values: Readonly<Record<string, number>>) => void reports.push(values)
  return { reports, asked, host: { sample, predict, report, random: () => 0.5 } as unknown as RolloutHost }
}

describe('a rollout', () => {
  const objective = grpo({ rewards: [wanted, short], groupSize: 2, padToMultipleOf: 1 }, given) as Objective
  const items = examples.slice(0, 2).map((example) => objective.encode(example))

  it('rewards a group of completions per prompt, and reports the mean rewards', async () => {
    const {
      reports,
      asked,
      host: own,
    } = host([
      ['x', true],
      ['yyy', false],
      ['zz', true],
      ['zz', true],
    ])
    const found = (await objective.rollout!(items, own)) as unknown as {
      advantage: number
      ids: number[]
      trained: number[]
    }[]
    expect(asked).toEqual(['[begin]a', '[begin]a', '[begin]bb', '[begin]bb'])
    // Rewards 1 − 1 = 0 and −3: the deviation of the group is 3 / √2.
    const advantage = 1.5 / (3 / Math.SQRT2 + 1e-4)
    expect(found.map((item) => item.advantage)).toEqual([advantage, -advantage, 0, 0])
    const trained = found.map(({ ids, trained }) =>
      ids.flatMap((id, i) => (trained[i] === 1 ? [given.tokenizer.token(id)] : [])).join(''),
    )
    expect(trained).toEqual(['x[end]', 'yyy', 'zz[end]', 'zz[end]'])
    expect(reports).toEqual([{ reward: -1.75, wanted: 0.25, short: -2, completionTokens: 2 }])
  })

  it('collates advantages with the completions', async () => {
    const { host: own } = host([
      ['x', true],
      ['y', true],
      ['x', true],
      ['x', true],
    ])
    const batch = objective.collate(await objective.rollout!(items, own)) as never as {
      advantages: { values: Float32Array }
      weights: { values: Float32Array; shape: number[] }
    }
    expect(batch.advantages.values[0]).toBeCloseTo(Math.SQRT1_2, 3)
    expect(batch.weights.values.reduce((a, b) => a + b, 0)).toBe(8) // a letter and the end token each
  })

  it('keeps the log-probabilities of its policy for several updates', async () => {
    const { host: own } = host([
      ['x', true],
      ['yyy', true],
      ['x', true],
      ['x', true],
    ])
    const twice = grpo({ rewards: short, groupSize: 2, padToMultipleOf: 1, updatesPerRollout: 2 }, given) as Objective
    expect([twice.updatesPerRollout, (objective as { updatesPerRollout?: number }).updatesPerRollout]).toEqual([2, 1])
    const batch = twice.collate(await twice.rollout!(items, own)) as never as Record<
      'logProbs' | 'targets',
      { values: Float32Array; shape: number[] }
    >
    expect(batch.logProbs.shape).toEqual(batch.targets.shape)
    const [, length] = batch.logProbs.shape as [number, number]
    // The prompt [begin]a, and x[end] or yyy[end]: 3 and 5 predicted tokens, and padding.
    expect([...batch.logProbs.values.slice(0, 2 * length)]).toEqual([-0, -1 / 8, -2 / 8, 0, 0, 0, -1, -9 / 8, -10 / 8, -11 / 8, -12 / 8, 0]) // prettier-ignore
    expect('logProbs' in twice.collate(items)).toBe(false)
  })

  it.each([Number.NaN, Infinity, undefined])('refuses the reward %s', async (value) => {
    const broken = grpo({ rewards: rewardFunction('broken', () => value as never), groupSize: 2 }, given) as Objective
    const { host: own } = host([
      ['x', true],
      ['y', true],
      ['x', true],
      ['x', true],
    ])
    await expect(broken.rollout!(items, own)).rejects.toThrow(expect.objectContaining({ code: 'BAD_REWARD' }) as never)
  })
})

it('needs the model before training only with a divergence term', () => {
  expect((grpo({ rewards: wanted }, given) as Objective).needsReference).toBe(false)
  expect((grpo({ rewards: wanted, beta: 0.04 }, given) as Objective).needsReference).toBe(true)
})

it('rejects a schedule of beta in a run that loaded no reference model', () => {
  const objective = grpo({ rewards: wanted, beta: scalar(0.1) }, given) as Objective
  expect(() => objective.trainingLoss!({ models: {} } as never, {} as never)).toThrow(
    expect.objectContaining({ code: 'BAD_SCHEDULE' }),
  )
})
