import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'

const root = mkdtempSync(join(tmpdir(), 'attune-select-'))
const { attune, close } = commandsIn(root, { ATTUNE_CACHE: join(root, 'cache') })
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

const write = (name: string, rows: readonly object[]): void =>
  writeFileSync(join(root, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
const read = (name: string): Record<string, unknown>[] =>
  readFileSync(join(root, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const sentence = (i: number): string => `the ${i % 2 ? 'cat purrs' : 'compiler runs'} again number ${i}`
const MIXED = 'the cat compiler purrs runs'

describe('attune select', () => {
  beforeAll(async () => {
    write(
      'train.jsonl',
      Array.from({ length: 40 }, (_, i) => ({ body: sentence(i), topic: i % 2 ? 'animal' : 'tool' })),
    )
    const pool = Array.from({ length: 30 }, (_, i) => ({ id: i, body: sentence(i + 30) }))
    write('pool.jsonl', [...pool, { id: 99, body: MIXED }])
    writeFileSync(
      join(root, 'config.yaml'),
      `data: { train: { use: jsonl, path: train.jsonl } }
tokenizer: { use: word, minimumFrequency: 2, field: body }
model: { use: mlp, embeddingSize: 8, hiddenSizes: [8] }
objective: { use: sequence-classification, text: body, label: topic }
protocol: { use: holdout, stratifyBy: topic }
engine: tfjs-cpu
training: { epochs: 8, batchSize: 8, learningRate: 0.03 }
`,
    )
    for (const seed of [1, 2])
      expect((await attune(['train', 'config.yaml', '--directory', `run-${seed}`, '--set', `seed=${seed}`])).code).toBe(
        0,
      )
  })

  it('selects the most uncertain rows that are not among the training data', async () => {
    const { out, err } = await attune([
      'select',
      'config.yaml',
      '--run',
      'run-1',
      '--pool',
      'pool.jsonl',
      '--count',
      '5',
    ])
    expect(err).toBe('')
    expect(out).toMatch(/^Wrote 5 of 21 rows to to-label\.jsonl, by entropy; 10 are in the training data\./)
    const rows = read('to-label.jsonl')
    expect(rows[0]).toMatchObject({ id: 99, body: MIXED, topic: null })
    expect(['animal', 'tool']).toContain(rows[0]!['prediction'])
    const scores = rows.map(({ score }) => score as number)
    expect([...scores].sort((a, b) => b - a)).toEqual(scores)
  })

  it('merges what is labelled into a new file, without overwriting', async () => {
    const [first, second, ...others] = read('to-label.jsonl')
    write('labelled.jsonl', [{ ...first, topic: 'animal' }, { ...second, body: sentence(3), topic: 'tool' }, ...others])
    const { out } = await attune(['select', 'config.yaml', '--labelled', 'labelled.jsonl', '--output', 'more.jsonl'])
    expect(out).toMatch(/^Wrote 41 rows to more\.jsonl: 1 added, 3 without a label and 1 known left out/)
    expect(read('more.jsonl').at(-1)).toEqual({ id: 99, body: MIXED, topic: 'animal' })
    const again = await attune(['select', 'config.yaml', '--labelled', 'labelled.jsonl', '--output', 'more.jsonl'])
    expect(again.err).toContain('FILE_EXISTS')
  })

  it('selects by the votes of a committee, and by diversity', async () => {
    const pool = ['--pool', 'pool.jsonl', '--count', '3']
    const runs = ['--run', 'run-1', '--run', 'run-2']
    expect((await attune(['select', 'config.yaml', ...runs, ...pool, '--output', 'votes.jsonl'])).out).toContain(
      'vote-entropy',
    )
    for (const { score } of read('votes.jsonl')) expect([0, Number(Math.log(2).toPrecision(6))]).toContain(score)
    const diversity = ['--run', 'run-1', ...pool, '--by', 'diversity', '--output', 'diverse.jsonl']
    expect((await attune(['select', 'config.yaml', ...diversity])).err).toBe('')
    expect(read('diverse.jsonl').map(({ score }) => score)).toEqual([1, 2, 3])
    expect(read('diverse.jsonl')[0]!['id']).toBe(99) // the mixed text has probabilities unlike those of the training data
  })

  it('rejects a call without a pool or labelled rows', async () => {
    expect((await attune(['select', 'config.yaml', '--output', 'x.jsonl'])).err).toMatch(
      /BAD_USAGE[^]*--pool with --run/,
    )
  })
})
