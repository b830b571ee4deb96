import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Example } from '@attune/core'
import { corpusScore } from '@attune/trainer'
import { commandsIn } from './command.test.fixture.js'
import { scoreAll } from './commands/score.js'

const root = mkdtempSync(join(tmpdir(), 'attune-score-'))
const { attune, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

const SENTENCES = ['the cat sat on the mat', 'the dog ran to the door', 'one two three four five']
const OPPOSITES = [['hot', 'cold'], ['day', 'night'], ['up', 'down'], ['cold', 'hot'], ['night', 'day'], ['down', 'up']] // prettier-ignore
const jsonl = (name: string, rows: readonly object[]): void =>
  writeFileSync(join(root, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

const train = async (name: string, model: string, objective: string, rows: readonly object[]): Promise<void> => {
  jsonl(`${name}.jsonl`, rows)
  writeFileSync(
    join(root, `${name}.yaml`),
    `seed: 1
directory: ${name}
data:
  train: { use: jsonl, path: ${name}.jsonl }
  validation: { use: jsonl, path: ${name}.jsonl }
tokenizer: { use: wordpiece, vocabularySize: 120 }
model: { ${model} }
objective: { use: ${objective} }
engine: onnxruntime
training: { epochs: 12, batchSize: 6, learningRate: 0.01 }
`,
  )
  const { code, err } = await attune(['train', `${name}.yaml`])
  expect([code, err]).toEqual([0, ''])
}

interface Line {
  readonly text?: string
  readonly texts?: number
  readonly logLikelihood: number
  readonly tokens: number
  readonly bytes: number
  readonly perplexity?: number
  readonly truncated?: boolean
}
const scored = async (...args: string[]): Promise<readonly Line[]> => {
  const { code, out, err } = await attune(['score', ...args, '--json'])
  expect([code, err]).toEqual([0, ''])
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

describe('scoreAll', () => {
  const collect = (setFlagsFromString('--expose-gc'), runInNewContext('gc') as () => void)
  async function* rows(count: number) {
    for (let i = 0; i < count; i++) yield await Promise.resolve({ text: `text ${i}` })
  }
  const scoreOf = (text: string) => ({
    logLikelihood: -text.length / 3,
    tokens: Array.from({ length: text.length }, (_, at) => ({ token: text[at]!, logProbability: -1 / 3 })),
    bytes: text.length,
    truncated: text.endsWith('7'),
  })

  it('returns the sums of all texts and the first ones', async () => {
    const printed: number[] = []
    const score = (group: readonly Example[]) => Promise.resolve(group.map(({ text }) => scoreOf(text as string)))
    const found = await scoreAll({ score }, rows(300), 'text', ({ length }) => printed.push(length))
    const all = Array.from({ length: 300 }, (_, i) => scoreOf(`text ${i}`))
    expect(found).toMatchObject({ corpus: corpusScore(all), count: 300, truncated: 30 })
    expect(found.first.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, i) => `text ${i}`))
    expect(printed).toEqual([64, 64, 64, 64, 44])
  })

  it('keeps neither the tokens nor the texts of earlier groups', async () => {
    const kept: WeakRef<object>[] = []
    const alive: number[] = []
    const score = async (group: readonly Example[]) => {
      await new Promise(setImmediate) // references are weak from the next task on
      collect()
      alive.push(kept.filter((each) => each.deref() !== undefined).length)
      const scores = group.map(({ text }) => scoreOf(text as string))
      kept.push(...group.map((row) => new WeakRef(row)), ...scores.map(({ tokens }) => new WeakRef(tokens)))
      return scores
    }
    await scoreAll({ score }, rows(640), 'text', () => undefined)
    expect(Math.max(...alive)).toBeLessThanOrEqual(2 * 64) // at most those of the last group
    expect(kept).toHaveLength(2 * 640)
  })
})

describe('attune score', () => {
  beforeAll(async () => {
    const texts = Array.from({ length: 60 }, (_, i) => ({ text: SENTENCES[i % 3] }))
    const off = 'residPdrop: 0, embdPdrop: 0, attnPdrop: 0'
    const decoder = `use: gpt2, nEmbd: 32, nLayer: 1, nHead: 2, nPositions: 12, ${off}`
    await train('causal', decoder, 'causal-language-modeling', texts)
    const pairs = Array.from({ length: 60 }, (_, i) => ({ text: OPPOSITES[i % 6]![0], target: OPPOSITES[i % 6]![1] }))
    const both = 'use: t5, dModel: 32, dKv: 8, dFf: 64, numLayers: 1, numHeads: 2, nPositions: 12, dropoutRate: 0'
    await train('pairs', both, 'sequence-to-sequence', pairs)
    const encoder =
      'use: bert, hiddenSize: 32, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 64, maxPositionEmbeddings: 12'
    await train('masked', encoder, 'masked-language-modeling', texts)
    writeFileSync(join(root, 'mixed.txt'), `${SENTENCES[0]}\nmat the on sat cat the\n\n${SENTENCES.join(' ')}\n`)
  }, 240_000)

  it('scores each line by a causal model, long ones in windows, and weights perplexity by tokens', async () => {
    const [known, shuffled, empty, long, all] = await scored('causal', 'mixed.txt')
    expect(known!.perplexity).toBeLessThan(2)
    expect(shuffled!.perplexity).toBeGreaterThan(4 * known!.perplexity!)
    expect([empty!.text, empty!.bytes, empty!.tokens]).toEqual(['', 0, 1]) // the separator that the tokenizer appends
    expect(long!.tokens).toBeGreaterThan(12)
    const lines = [known, shuffled, empty, long] as readonly Line[]
    const sum = (of: (line: Line) => number): number => lines.reduce((total, line) => total + of(line), 0)
    expect(all!.texts).toBe(4)
    expect(all!.tokens).toBe(sum(({ tokens }) => tokens))
    const mean = sum(({ logLikelihood }) => logLikelihood) / all!.tokens
    expect(all!.perplexity).toBeCloseTo(Math.exp(-mean), 8)
    const [, , , closer] = await scored('causal', 'mixed.txt', '--stride', '3')
    expect(closer!.tokens).toBe(long!.tokens)
    expect(closer!.logLikelihood).not.toBe(long!.logLikelihood)
  })

  it('prints a table', async () => {
    const { code, out } = await attune(['score', 'causal', 'mixed.txt'])
    expect(code).toBe(0)
    expect(out).toMatch(/^log-likelihood of 4 texts\n\ntext +nats +tokens +perplexity +bits per byte\nall +-/)
    expect(out).toMatch(/\nmat the on sat cat the +-[\d.]+ +\d+/)
  })

  it('scores targets by an encoder–decoder, from named fields', async () => {
    jsonl('new.jsonl', [
      { ask: 'hot', answer: 'cold' },
      { ask: 'hot', answer: 'night' },
    ])
    const [right, wrong] = await scored('pairs', 'new.jsonl', '--field', 'ask', '--target', 'answer')
    expect([right!.text, wrong!.text, right!.bytes]).toEqual(['cold', 'night', 4])
    expect(right!.logLikelihood).toBeGreaterThan(wrong!.logLikelihood + 1)
    const { code, err } = await attune(['score', 'pairs', 'new.jsonl'])
    expect([code, err]).toEqual([2, expect.stringMatching(/^BAD_ROW/)])
  })

  it('scores every token of a text by a masked model, in windows if it is long', async () => {
    const [known, , , long] = await scored('masked', 'mixed.txt')
    expect(long!.tokens).toBe(3 * 6 - 1)
    expect([known!.tokens, known!.bytes]).toEqual([6, 22])
    expect(known!.logLikelihood).toBeLessThan(0)
  })

  it('rejects a classifier and a stride beyond the window', async () => {
    const refused = async (...args: string[]) => {
      const { code, err } = await attune(['score', ...args])
      return `${code} ${err}`
    }
    expect(await refused('causal', 'mixed.txt', '--stride', '12')).toMatch(/^2 BAD_ARGUMENT: .*1 to 11 tokens, got 12/)
    const labelled = Array.from({ length: 12 }, (_, i) => ({ text: SENTENCES[i % 3], label: i % 2 ? 'a' : 'b' }))
    await train('classes', 'use: mlp, embeddingSize: 4, hiddenSizes: [4]', 'sequence-classification', labelled)
    expect(await refused('classes', 'mixed.txt')).toMatch(/^2 NO_SUCH_HEAD: expected a language model/)
  }, 60_000)
})
