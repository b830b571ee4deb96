import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'

const root = mkdtempSync(join(tmpdir(), 'attune-self-train-'))
const { attune, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})
const row = (i: number) => ({ body: `the ${i % 2 ? 'cat purrs' : 'compiler runs'} again ${i % 7}`, topic: i % 2 ? 'animal' : 'tool' }) // prettier-ignore
const write = (name: string, from: number, count: number): void =>
  writeFileSync(
    join(root, name),
    Array.from({ length: count }, (_, i) => `${JSON.stringify(row(from + i))}\n`).join(''),
  )
write('train.jsonl', 0, 12)
write('validation.jsonl', 20, 10)
write('more.jsonl', 12, 30)
writeFileSync(
  join(root, 'config.yaml'),
  `data: { train: { use: jsonl, path: train.jsonl }, validation: { use: jsonl, path: validation.jsonl } }
tokenizer: { use: word, minimumFrequency: 1, field: body }
model: { use: mlp, embeddingSize: 8, hiddenSizes: [8] }
objective: { use: sequence-classification, text: body, label: topic }
engine: tfjs-cpu
metric: accuracy
directory: runs/self
training: { epochs: 6, batchSize: 4, learningRate: 0.05 }
`,
)

it('attune self-train prints each round, marks the best one, and rejects a threshold that no row reaches', async () => {
  const given = ['self-train', 'config.yaml', '--unlabelled', 'more.jsonl', '--threshold', '0.6', '--balanced']
  const { code, out, err } = await attune(given)
  expect(code).toBe(0)
  expect(err).toMatch(/round 0 of 1 started\nround 0 completed after [^]*round 1: \d+ of \d+ rows labelled: /)
  expect(out).toMatch(/^round +validation accuracy\n +0 .*\n +1 [^]*npx attune evaluate \S*runs\/self\/rounds\/[01]\n$/)
  expect(out.match(/← best/g)).toHaveLength(1)
  expect(JSON.parse((await attune([...given, '--json'])).out)).toMatchObject({
    because: 'finished',
    metric: 'accuracy',
  })
  expect(readFileSync(join(root, 'runs/self/train-1.jsonl'), 'utf8').split('\n').length).toBeGreaterThan(13)
  const unsure = await attune([...given.slice(0, 4), '--threshold', '1', '--directory', 'runs/unsure'])
  expect([unsure.code, unsure.err]).toEqual([2, expect.stringContaining('NOTHING_CONFIDENT')])
})
