import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'

const rows = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => {
    const isAnimal = (from + i) % 2 === 1
    const body = `the ${isAnimal ? 'cat purrs' : 'compiler runs'} again ${from + i}`
    return `${JSON.stringify({ body, topic: isAnimal ? 'animal' : 'tool' })}\n`
  }).join('')

/**
 * A folder with `config.yaml` of a small classifier, its `train.jsonl` of 30 rows and `validation.jsonl` of 10, and 30 other rows in
 * `more.jsonl`. Returns the folder, which is removed after the tests of the file, and a function that runs commands in it.
 */
export function classifierFolder() {
  const root = mkdtempSync(join(tmpdir(), 'attune-classifier-'))
  const { attune, close } = commandsIn(root)
  afterAll(() => {
    close()
    rmSync(root, { recursive: true })
  })
  writeFileSync(join(root, 'train.jsonl'), rows(0, 30))
  writeFileSync(join(root, 'validation.jsonl'), rows(30, 10))
  writeFileSync(join(root, 'more.jsonl'), rows(40, 30))
  writeFileSync(
    join(root, 'config.yaml'),
    `data: { train: { use: jsonl, path: train.jsonl }, validation: { use: jsonl, path: validation.jsonl } }
tokenizer: { use: word, minimumFrequency: 1, field: body }
model: { use: mlp, embeddingSize: 8, hiddenSizes: [8] }
objective: { use: sequence-classification, text: body, label: topic }
engine: tfjs-cpu
metric: accuracy
directory: runs/topics
training: { epochs: 6, batchSize: 8, learningRate: 0.05 }
`,
  )
  return { root, attune }
}
