import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'

const root = mkdtempSync(join(tmpdir(), 'attune-labels-'))
const { attune, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

interface Event {
  readonly type: string
  readonly message?: string
  readonly scores?: Readonly<Record<string, { readonly value: number }>>
}

const WORDS = { good: ['lovely', 'super', 'great'], bad: ['awful', 'sad', 'poor'] } as const
const texts = Array.from({ length: 24 }, (_, i): { kind: keyof typeof WORDS; words: string[] } => {
  const kind = i % 2 === 0 ? 'good' : 'bad'
  return { kind, words: ['the', WORDS[kind][i % 3]!, WORDS[kind][(i >> 1) % 3]!] }
})

/** Writes a split of one example per text. */
const split = (name: string, example: (text: (typeof texts)[number]) => unknown): void =>
  writeFileSync(join(root, name), texts.map((text) => `${JSON.stringify(example(text))}\n`).join(''))

/** Trains a very small BERT and returns the last accuracy, the warnings and the saved labels. */
async function train(name: string, data: string, model: string, objective: string, rate: number, metric: string) {
  const tokenizer = /from: (.*)/.exec(model)?.[1]
  const config = `directory: ${name}
data: { train: { use: jsonl, path: ${data} }, validation: { use: jsonl, path: ${data} } }
tokenizer: { use: wordpiece, ${tokenizer === undefined ? 'vocabularySize: 100' : `path: ${tokenizer}`} }
model: { use: bert, ${model} }
objective: { ${objective} }
engine: tfjs-cpu
metric: ${metric}
training: { epochs: ${rate < 1e-6 ? 1 : 25}, batchSize: 8, learningRate: ${rate} }
`
  writeFileSync(join(root, `${name}.yaml`), config)
  expect(await attune(['train', `${name}.yaml`])).toMatchObject({ code: 0 })
  const lines = readFileSync(join(root, name, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
  const events = lines.map((line) => JSON.parse(line) as Event & { readonly event?: Event }).map((e) => e.event ?? e)
  const { id2label } = JSON.parse(readFileSync(join(root, name, 'model/config.json'), 'utf8')) as { id2label: object }
  return {
    accuracy: events.findLast(({ scores }) => scores !== undefined)?.scores?.[metric]?.value,
    warnings: events.flatMap(({ type, message }) => (type === 'run.warned' ? [message] : [])),
    labels: Object.values(id2label) as string[],
  }
}

const SIZE = 'hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, maxPositionEmbeddings: 24'

it.each([
  ['sequence-classification', 'accuracy', 'zulu, alpha', ['zulu', 'alpha']],
  ['token-classification', 'token-accuracy', 'zulu, o, alpha', ['zulu', 'o', 'alpha']],
])(
  'keeps the class ids of a saved model: %s',
  async (use, metric, given, labels) => {
    const [first, again, other] = [`${use}-first`, `${use}-again`, `${use}-other`]
    const label = { good: 'zulu', bad: 'alpha' }
    split('data.jsonl', ({ kind, words }) => ({
      text: words.join(' '),
      words,
      label: label[kind],
      tags: words.map((word) => (word === 'the' ? 'o' : label[kind])),
    }))
    expect(await train(first, 'data.jsonl', SIZE, `use: ${use}, labels: [${given}]`, 0.01, metric)).toMatchObject({
      accuracy: 1,
      labels,
    })
    const from = `from: ${first}/model`
    expect(await train(again, 'data.jsonl', from, `use: ${use}`, 1e-9, metric)).toEqual({
      accuracy: 1,
      warnings: [],
      labels,
    })
    const sorted = [...labels].sort()
    const explicit = await train(
      `${use}-sorted`,
      'data.jsonl',
      from,
      `use: ${use}, labels: [${sorted.join()}]`,
      1e-9,
      metric,
    )
    expect(explicit).toEqual({ accuracy: 1, labels: sorted, warnings: [expect.stringContaining('reordered')] })
    split('other.jsonl', ({ words }) => ({ text: words.join(' '), words, label: 'x', tags: words.map(() => 'y') }))
    const warnings = [expect.stringContaining('the classification head is newly initialized')]
    expect(await train(other, 'other.jsonl', from, `use: ${use}`, 1e-9, metric)).toMatchObject({ warnings })
  },
  120_000,
)
