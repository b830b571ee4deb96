import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'

const root = mkdtempSync(join(tmpdir(), 'attune-members-'))
const { attune, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})
const row = (i: number) => ({ body: `the ${i % 2 ? 'cat purrs' : 'compiler runs'} again ${i % 7}`, topic: i % 2 ? 'animal' : 'tool' }) // prettier-ignore
const write = (name: string, from: number, count: number): void =>
  writeFileSync(join(root, name), Array.from({ length: count }, (_, i) => `${JSON.stringify(row(from + i))}\n`).join('')) // prettier-ignore
write('train.jsonl', 0, 30)
write('validation.jsonl', 30, 10)
writeFileSync(
  join(root, 'config.yaml'),
  `data: { train: { use: jsonl, path: train.jsonl }, validation: { use: jsonl, path: validation.jsonl } }
tokenizer: { use: word, minimumFrequency: 1, field: body }
model: { use: mlp, embeddingSize: 8, hiddenSizes: [8] }
objective: { use: sequence-classification, text: body, label: topic }
engine: tfjs-cpu
metric: accuracy
directory: runs/members
training: { epochs: 2, batchSize: 8, learningRate: 0.05 }
`,
)

it('attune bag prints the out-of-bag scores of an ensemble, which predict and evaluate open', async () => {
  const given = ['bag', 'config.yaml', '--members', '2']
  const { code, out, err } = await attune(given)
  expect([code, err]).toEqual([0, expect.stringMatching(/^member 0 of 2 started\n[^]*member 1 completed after /)])
  expect(out).toMatch(/^Out of bag: \d+ of 30 training rows[^]*\nloss +\S+ *\naccuracy +\S+ *\n\nEvaluate the ensemble/)
  const [, folder = ''] = /npx attune evaluate (\S+)/.exec(out) ?? []
  expect((await attune(['evaluate', folder, '--split', 'validation', '--json'])).code).toBe(0)
  const answer = JSON.parse((await attune(['predict', folder, 'the cat purrs'])).out) as { label: string }
  expect(['animal', 'tool']).toContain(answer.label)
  const again = JSON.parse((await attune([...given, '--json'])).out) as object
  expect(again).toMatchObject({ because: 'finished', members: 2, outOfBag: { rows: 30 } })
})

it('attune boost prints the weights of the votes, and ends with the ensemble', async () => {
  const weak = ['--set', 'training.learningRate=0.003', '--directory', 'runs/boosted']
  const { code, out, err } = await attune(['boost', 'config.yaml', '--members', '2', ...weak])
  expect([code, err]).toEqual([0, expect.stringMatching(/member 0 completed after .*accuracy \S+, weight \d/)])
  expect(out).toMatch(/(Evaluate the ensemble: npx attune evaluate \S*runs\/boosted\/ensemble|^Ended early: member \d)/)
})
