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

/** Trains a very small BERT and returns the last value of the metric, the warnings and the saved labels. */
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
  const saved = JSON.parse(readFileSync(join(root, name, 'model/config.json'), 'utf8')) as Record<string, object>
  const last = events.findLast(({ scores }) => scores !== undefined)?.scores
  return {
    accuracy: Object.entries(last ?? {}).find(([score]) => score !== 'loss')?.[1].value,
    warnings: events.flatMap(({ type, message }) => (type === 'run.warned' ? [message] : [])),
    labels: Object.values(saved['ordinal_labels'] ?? saved['id2label']!) as string[],
  }
}

const SIZE = 'hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, maxPositionEmbeddings: 24'

const reordered = expect.stringContaining('reordered') as unknown
const initialized = expect.stringContaining('the classification head is newly initialized') as unknown

it.each([
  ['sequence-classification', 'accuracy', ['zulu', 'alpha'], reordered],
  ['token-classification', 'token-accuracy', ['zulu', 'o', 'alpha'], reordered],
  ['multi-label-classification', 'multi-label-f1', ['zulu', 'o', 'alpha'], reordered],
  // Ranks of another order have other thresholds, so the head is not used.
  ['ordinal-classification', 'accuracy', ['3', '2'], initialized],
])(
  'keeps the class ids of a saved model: %s',
  async (use, metric, labels, warning) => {
    const [first, again, other] = [`${use}-first`, `${use}-again`, `${use}-other`]
    const write = (file: string, label: { readonly good: string; readonly bad: string }, common: string): void =>
      split(file, ({ kind, words }) => ({
        text: words.join(' '),
        words,
        label: label[kind],
        labels: [label[kind], common],
        tags: words.map((word) => (word === 'the' ? common : label[kind])),
      }))
    write('data.jsonl', { good: labels[0]!, bad: labels.at(-1)! }, 'o')
    const given = (names: readonly string[]): string =>
      `use: ${use}, labels: [${names.map((name) => `'${name}'`).join()}]`
    expect(await train(first, 'data.jsonl', SIZE, given(labels), 0.01, metric)).toMatchObject({ accuracy: 1, labels })
    const from = `from: ${first}/model`
    expect(await train(again, 'data.jsonl', from, `use: ${use}`, 1e-9, metric)).toEqual({
      accuracy: 1,
      warnings: [],
      labels,
    })
    const sorted = [...labels].sort()
    const explicit = await train(`${use}-sorted`, 'data.jsonl', from, given(sorted), 1e-9, metric)
    expect(explicit).toMatchObject({ labels: sorted, warnings: [warning] })
    if (warning === reordered) expect(explicit.accuracy).toBe(1)
    write('other.jsonl', { good: '7', bad: '8' }, '9')
    const unrelated = await train(other, 'other.jsonl', from, `use: ${use}`, 1e-9, metric)
    expect(unrelated).toMatchObject({ warnings: [initialized] })
  },
  120_000,
)
