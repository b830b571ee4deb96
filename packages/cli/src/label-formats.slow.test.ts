import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Example, type Source, isAttuneError } from '@attune/core'
import { openPredictor, run } from '@attune/trainer/node'
import { afterAll, expect, it } from '@jest/globals'
import { lastValueFrom } from 'rxjs'
import { sourceOf } from './commands/evaluate.js'
import { searchPathsFrom } from './search-paths.js'

const root = mkdtempSync(join(tmpdir(), 'attune-formats-'))
afterAll(() => rmSync(root, { recursive: true }))

/** Labels that a reader could take for numbers, booleans or nothing, or that JavaScript could confuse with its own names. */
const LABELS = [
  '01',
  '1.0',
  'true',
  'null',
  'NaN',
  '9007199254740993',
  ' a ',
  'Zürich 日本',
  '__proto__',
  '-0',
  '10',
  '9',
]
const rows = LABELS.flatMap((label, i) => Array.from({ length: 4 }, () => ({ text: `word${i} word${i} x`, label })))

const delimited = (by: string): string =>
  [`text${by}label`, ...rows.map(({ text, label }) => `${text}${by}${label}`), ''].join('\n')
const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('')

async function labelsAfter(name: string, content: string | Uint8Array): Promise<readonly unknown[]> {
  const [path, directory] = [join(root, name), join(root, `run-${name}`)]
  writeFileSync(path, content)
  const { use, ...options } = await sourceOf(path)
  const own = { use: use.plugin.name, ...options }
  const searchPaths = searchPathsFrom()
  await lastValueFrom(
    run(
      {
        directory,
        data: { train: own, validation: own },
        tokenizer: { use: 'word', vocabularySize: 60, minimumFrequency: 1 },
        model: { use: 'mlp', embeddingSize: 32, hiddenSizes: [32], dropout: 0 },
        objective: 'sequence-classification',
        engine: 'tfjs-cpu',
        training: { epochs: 30, batchSize: 16, learningRate: 0.05 },
      },
      { searchPaths, dataFolder: join(root, 'data') },
    ),
  )
  const predictor = await openPredictor(directory, { searchPaths })
  const examples: Example[] = []
  for await (const row of (use.plugin(options) as Source).open()) examples.push(row)
  const answers = await predictor.predict(examples)
  await predictor.close()
  return answers.map((answer) => (isAttuneError(answer) ? answer : answer['label']))
}

it.each([
  ['rows.csv', delimited(',')],
  ['rows.csv.gz', gzipSync(delimited(','))],
  ['rows.tsv', delimited('\t')],
  ['rows.jsonl', lines],
  ['rows.json', lines],
  ['rows.jsonl.gz', gzipSync(lines)],
])('labels and their order survive reading, training, saving and prediction: %s', async (name, content) => {
  expect(await labelsAfter(name, content)).toEqual(rows.map(({ label }) => label))
  const saved = JSON.parse(readFileSync(join(root, `run-${name}`, 'model/config.json'), 'utf8')) as {
    id2label: Record<string, string>
  }
  expect(Object.values(saved.id2label)).toEqual([...LABELS].sort())
})

it('labels that JSON holds as numbers and booleans become their digits and names', async () => {
  const written = ['true', '9007199254740993', '-12345678901234567890', '1.5', '7', '"7.0"']
  const content = written.flatMap((label, i) => {
    const row = `{"text": "word${i} word${i} x", "label": ${label}, "id": 12345678901234567890}\n`
    return [row, row, row, row]
  })
  const expected = written.map((label) => label.replaceAll('"', ''))
  expect(await labelsAfter('numbers.jsonl', content.join(''))).toEqual(
    expected.flatMap((label) => Array(4).fill(label)),
  )
})
