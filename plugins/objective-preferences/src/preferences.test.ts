import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Example, HostArray, Objective, Params, Tokenizer } from '@attune/core'
import { completionLogProbs } from '@attune/nn'
import { describeObjective, expectClose, floats, gradientsOf, referenceEngine } from '@attune/testkit'
import { tinyModel, tinyTokenizer } from '@attune/testkit/tiny'
import { type Scalar, type Tensor, mean, neg, slice, sub } from '@tensorflow/tfjs-core'
import { preferenceLoss, preferenceLossNames } from './preference-losses.js'
import { preferences } from './preferences.js'

const letters = tinyTokenizer()
/** The tiny tokenizer with the chat template `<role>content;`. */
const tokenizer: Tokenizer = {
  ...letters,
  chatTemplate:
    '{% for m in messages %}[{{ m.role[0] }}]{{ m.content }};{% endfor %}{% if add_generation_prompt %}[a]{% endif %}',
  encode(text, options = {}) {
    const encoding = letters.encode(text, options)
    return options.addSpecialTokens === false ? { ...encoding, ids: encoding.ids.slice(1, -1) } : encoding
  },
}
const user = (content: string) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })
const examples: readonly Example[] = [
  { prompt: 'ab ', chosen: 'cde', rejected: 'f' },
  { prompt: [user('a')], chosen: [assistant('yes')], rejected: [assistant('no')] },
  { chosen: [user('p'), assistant('q')], rejected: [user('p'), assistant('rst')] },
  { chosen: 'it is so', rejected: 'it is not' },
  { prompt: 'x', chosen: [user('x'), assistant('y')], rejected: [user('x'), assistant('z')] },
  { prompt: 'p', chosen: '', rejected: 'longer' },
]
const given = { model: tinyModel(), tokenizer }
for (const loss of ['sigmoid', 'orpo'])
  describeObjective(preferences, { given, options: { loss }, references: [], examples, textsPerExample: 2 })

type Read = { ids: number[]; trained: number[]; rejected: { ids: number[]; trained: number[] }; truncated: boolean }
const read = (example: Example, options: Record<string, unknown> = {}): Read =>
  preferences(options, given).encode(example) as never
const text = ({ ids, trained }: { ids: number[]; trained: number[] }, part: 0 | 1): string =>
  ids.flatMap((id, i) => (trained[i] === part ? [tokenizer.token(id)] : [])).join('')
const code = (wanted: string) => expect.objectContaining({ code: wanted }) as never

describe('pairs', () => {
  it.each([
    [0, '[begin]ab ', 'cde[end]', 'f[end]'],
    [1, '[u]a;[a]', 'yes;', 'no;'],
    [2, '[u]p;[a]', 'q;', 'rst;'],
    [3, '[begin]it is', ' so[end]', ' not[end]'],
    [4, '[u]x;[a]', 'y;', 'z;'],
    [5, '[begin]p', '[end]', 'longer[end]'],
  ])('of example %i have a prompt that does not train, and two completions that do', (i, prompt, chosen, rejected) => {
    const item = read(examples[i]!)
    expect([text(item, 0), text(item, 1)]).toEqual([prompt, chosen])
    expect([text(item.rejected, 0), text(item.rejected, 1)]).toEqual([prompt, rejected])
  })

  it('are truncated at the end by default, at the beginning with truncationSide left', () => {
    const example = { prompt: 'abcdef', chosen: 'ghijkl', rejected: 'm' }
    const short = read(example, { maximumLength: 9 })
    expect([text(short, 0), text(short, 1), short.truncated]).toEqual(['[begin]abcdef', 'gh', true])
    const left = read(example, { maximumLength: 9, truncationSide: 'left' })
    expect([text(left, 0), text(left, 1), text(left.rejected, 0)]).toEqual(['ef', 'ghijkl[end]', '[begin]abcdef'])
  })

  it('keep the end of a long prompt and the beginning of a long completion', () => {
    const limits = { maximumPromptLength: 2, maximumCompletionLength: 3 }
    const item = read({ prompt: 'abcd', chosen: 'efghi', rejected: 'j' }, limits)
    expect([text(item, 0), text(item, 1), text(item.rejected, 1)]).toEqual(['cd', 'efg', 'j[end]'])
  })

  it.each([
    ['a prompt that fills the row', { prompt: 'abcdefghij', chosen: 'k', rejected: 'l' }, 'NO_TRAINED_TOKENS'],
    ['no rejected text', { prompt: 'a', chosen: 'b' }, 'MISSING_FIELD'],
    ['a text and messages', { chosen: 'a', rejected: [assistant('b')] }, 'MISSING_FIELD'],
    [
      'a prompt of messages with plain completions',
      { prompt: [user('a')], chosen: 'b', rejected: 'c' },
      'MISSING_FIELD',
    ],
  ])('are refused: %s', (_, example, wanted) => {
    expect(() => read(example, { maximumLength: 8 })).toThrow(code(wanted))
  })
})

describe('options', () => {
  it.each([
    { loss: 'ipo', labelSmoothing: 0.1 },
    { loss: 'orpo', labelSmoothing: 0.1 },
    { loss: 'sigmoid', margin: 1 },
    { labelSmoothing: 0.5 },
  ])('that have no meaning together are rejected: %j', (options) => {
    expect(() => preferences(options as never, given)).toThrow(code('BAD_OPTIONS'))
  })

  it('request the reference model only for losses that compare with it', () => {
    const needs = preferenceLossNames.filter((loss) => (preferences({ loss }, given) as Objective).needsReference)
    expect(needs).toEqual(['sigmoid', 'hinge', 'ipo', 'robust'])
  })
})

type Golden = {
  readonly source: string
  readonly cases: readonly {
    options: { loss: (typeof preferenceLossNames)[number]; beta: number; labelSmoothing?: number; margin?: number }
    loss: number
    gradient: { shape: number[]; values: number[] }
  }[]
} & Readonly<Record<'logProbs' | 'reference' | 'mask', { shape: number[]; values: number[] }>>
const golden = JSON.parse(readFileSync('golden/losses.json', 'utf8')) as Golden
const array = ({ shape, values }: { shape: number[]; values: number[] }): HostArray => floats(values, shape)

describe(`losses of ${golden.source}`, () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it.each(golden.cases)('match with their gradient: $options', async ({ options, loss, gradient }) => {
    const of = preferenceLoss(options.loss)
    const fixed = engine.put({ reference: array(golden.reference), mask: array(golden.mask) }) as Record<string, Tensor>
    const value =
      ({ reference, mask }: Record<string, Tensor>) =>
      ({ logProbs }: Params): Scalar => {
        const scored = (logs: Tensor) => completionLogProbs(neg(logs), mask!, of.averages)
        const scores = of.needsReference ? sub(scored(logProbs!), scored(reference!)) : scored(logProbs!)
        const [chosen, rejected] = [0, 3].map((from) => slice(scores, [from], [3]))
        return mean(of.losses(chosen!, rejected!, { labelSmoothing: 0, margin: 0, ...options }))
      }
    const both = engine.compile((p: Params, of: Record<string, Tensor>) => ({
      loss: value(of)(p),
      gradient: gradientsOf(value(of), p)['logProbs']!,
    }))
    const logs = engine.put({ logProbs: array(golden.logProbs) }) as Params
    const expected = { loss: floats([loss], []), gradient: array(gradient) }
    expectClose(await engine.read(both(logs, fixed)), expected, 1e-6)
  })

  it('of ORPO are finite for a completion that is certain', async () => {
    const certain = engine.compile((p: Params) =>
      gradientsOf(({ x }) => mean(preferenceLoss('orpo').losses(x!, x!, { beta: 1, labelSmoothing: 0, margin: 0 })), p),
    )
    const { x } = (await engine.read(certain(engine.put({ x: floats([0, -1], [2]) }) as Params))) as Record<
      string,
      HostArray
    >
    expect([...x!.values].every(Number.isFinite)).toBe(true)
  })
})

it('predicts rewards of both completions, their margin, and the preferred one', () => {
  const objective = preferences({ beta: 0.5 }, given) as Objective
  const items = examples.slice(0, 2).map((example) => objective.encode(example))
  const outputs = { scores: floats([2, -1, -2, 3], [4]), likelihoods: floats([0, 0, 0, 0], [4]) }
  expect(objective.predict(outputs as never, items)).toEqual([
    { label: 'chosen', chosen: 1, rejected: -1, margin: 2 },
    { label: 'rejected', chosen: -0.5, rejected: 1.5, margin: -2 },
  ])
})
