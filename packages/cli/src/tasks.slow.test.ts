import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'
import type { Evaluation } from '@attune/trainer/node'
import { tasksText } from './commands/tasks.js'
import { taskReportText } from './task-report-text.js'

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
    // Of 20 rows of each task, half are "yes".
    expect(found.skills.map((each) => each!.constant)).toEqual([0.5, 0.5, 0.5])
    // `tone` and `stars` label the same texts alike.
    expect(found.dependences[at('tone')]![at('stars')]).toBeCloseTo(1, 12)
    expect(found.dependences[at('tone')]![at('location')]).toBeNull()
    const text = tasksText(found)
    expect(text).toMatch(/Train together: .*(tone|stars)/)
    expect(text).toMatch(/^task .*score +constant +after 6 steps +skill\n.*accuracy +0\.5000 /)
    expect(text).toMatch(/dependence of labels/)
    const dependences = found.tasks.map(() => found.tasks.map(() => null))
    expect(tasksText({ ...found, dependences, skills: [null, null, null] })).toMatch(/No text is labelled by two tasks/)
  })

  it('trains the same tasks on joint batches with GradNorm and PCGrad', async () => {
    const { code, err } = await attune(['train', 'config.yaml'])
    expect([code, err.includes('Error')]).toEqual([0, false])
    const { out } = await attune(['evaluate', 'run', '--split', 'validation', '--json'])
    const { scores } = JSON.parse(out) as { scores: Record<string, { value: number }> }
    const values = ['tone', 'stars', 'location'].map((name) => scores[`${name}.accuracy`]!.value)
    expect(values).toEqual([1, 1, 1])
    const evaluated = ['evaluate', 'run', '--split', 'validation']
    const { out: shown } = await attune([...evaluated, '--output', 'report.txt'])
    expect(readFileSync(join(root, 'report.txt'), 'utf8')).toBe(shown)
    expect(shown).toMatch(/loss by task\n.*task +loss +support/)
    expect(shown).toMatch(/tone +tone.accuracy +1 +[\d.e-]+\n/)
    expect(shown).toMatch(/overall: 1.0000, mean of the scores\n/)
    expect(shown).toMatch(/correlation of 9 changes in score/)
    await attune([...evaluated, '--output', 'report.json'])
    const report = JSON.parse(readFileSync(join(root, 'report.json'), 'utf8')) as Evaluation
    expect(report.tasks!.tasks.map(({ examples }) => examples)).toEqual([20, 20, 20])
    for (const [flags, problem] of [
      [['--single', 'tone=run'], /on the 20 examples of "tone", got 60/],
      [['--single', 'tone'], /expected TASK=RUN, got "tone"/],
      [['--output', 'report.txt'], /report.txt exists/],
    ] as const)
      expect((await attune([...evaluated, ...flags])).err).toMatch(problem)
  })
})

describe('the report on the tasks of a model', () => {
  const scored = { task: 'tone', score: 'tone.accuracy', value: 0.8, loss: 0.5, examples: 20 }
  const stars = { task: 'stars', score: 'loss', value: 0.25, loss: 0.25, examples: 5 }

  it('shows single-task models, their relative differences and Δm', () => {
    const tasks = [
      { ...scored, single: 0.64, difference: 0.25 },
      { ...stars, single: 0.2, difference: -0.25 },
    ]
    const lines = taskReportText({ tasks, overall: { name: 'deltaM', value: 0 } }).split('\n')
    expect(lines).toEqual([
      'task   score           value    loss  single-task  difference',
      'tone   tone.accuracy  0.8000  0.5000       0.6400  25.0 %',
      'stars  loss           0.2500  0.2500       0.2000  -25.0 %',
      '',
      'overall: Δm 0.0 %, mean relative difference to the single-task models',
      '',
      'no correlation of the tasks: it takes four evaluations or more (`training.evaluateEvery`)',
    ])
  })

  it('shows correlations, and leaves out those of scores that never change', () => {
    const correlations = {
      changes: 4,
      values: [
        [1, NaN],
        [NaN, NaN],
      ],
    }
    const lines = taskReportText({ tasks: [scored, stars], correlations }).split('\n')
    expect(lines.slice(4)).toEqual([
      'no overall score: the scores of the tasks have different ranges',
      '',
      'correlation of 4 changes in score  tone  stars',
      'tone                               1.00',
      'stars',
    ])
  })
})
