import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'
import { tasksText } from './commands/tasks.js'

const root = mkdtempSync(join(tmpdir(), 'attune-tasks-'))
const { attune, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

/** Rows of two tasks with the same answer, and a third with other texts. */
const rows = Array.from({ length: 60 }, (_, i) => {
  const isGood = i % 2 === 0
  const words = i % 3 === 2 ? `${isGood ? 'up' : 'down'} there` : `the ${isGood ? 'good' : 'bad'} chair`
  return { task: ['tone', 'stars', 'location'][i % 3], text: words, label: isGood ? 'yes' : 'no' }
})
writeFileSync(join(root, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
const classification = { use: 'sequence-classification' }
const config = {
  seed: 3,
  directory: 'run',
  data: { train: { use: 'jsonl', path: 'rows.jsonl' }, validation: { use: 'jsonl', path: 'rows.jsonl' } },
  tokenizer: { use: 'word', vocabularySize: 50 },
  model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
  objective: {
    use: 'multi-task',
    batches: 'joint',
    weighting: 'gradnorm',
    gradients: 'pcgrad',
    tasks: { tone: classification, stars: classification, location: classification },
  },
  sampler: { use: 'stratified', rows: { tone: 4, stars: 4, location: 2 } },
  engine: 'onnxruntime',
  metric: ['tone', 'stars', 'location'].map((of) => ({ use: 'accuracy', of })),
  training: { epochs: 10, batchSize: 10, learningRate: 0.02 },
}
writeFileSync(join(root, 'config.yaml'), JSON.stringify(config))

describe('attune tasks', () => {
  it('compares the tasks of a configuration', async () => {
    const { code, out, err } = await attune(['tasks', 'config.yaml', '--steps', '6', '--json'])
    expect([code, err]).toEqual([0, ''])
    const found = JSON.parse(out) as Parameters<typeof tasksText>[0]
    expect(found.tasks.toSorted()).toEqual(['location', 'stars', 'tone'])
    const at = (name: string): number => found.tasks.indexOf(name)
    // The texts of `tone` and `stars` are the same, and `location` has no word in common with them.
    expect(found.overlaps[at('tone')]![at('stars')]).toBe(1)
    expect(found.overlaps[at('tone')]![at('location')]).toBeLessThan(0.5)
    expect(tasksText(found)).toMatch(/Train together: .*(tone|stars)/)
  })

  it('trains the same tasks on joint batches with GradNorm and PCGrad', async () => {
    const { code, err } = await attune(['train', 'config.yaml'])
    expect([code, err.includes('Error')]).toEqual([0, false])
    const { out } = await attune(['evaluate', 'run', '--split', 'validation', '--json'])
    const { scores } = JSON.parse(out) as { scores: Record<string, { value: number }> }
    const values = ['tone', 'stars', 'location'].map((name) => scores[`${name}.accuracy`]!.value)
    expect(values).toEqual([1, 1, 1])
    const { out: shown } = await attune(['evaluate', 'run', '--split', 'validation'])
    expect(shown).toMatch(/loss by task\n.*task +loss/)
  })
})
