import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeSafetensors, encodeSafetensors } from '@attune/weights'
import { commandsIn } from './command.test.fixture.js'

const root = mkdtempSync(join(tmpdir(), 'attune-task-writing-'))
const { attune, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

const PAIRS = [
  ['red', 'rot'],
  ['blue', 'blau'],
  ['green', 'gruen'],
] as const
type Row = Readonly<Record<string, unknown>>

const rows = PAIRS.flatMap(([text, target], i) => [
  { task: 'german', text, target },
  { task: 'warm', text, label: i === 0 ? 'yes' : 'no' },
])
const config = {
  seed: 1,
  directory: 'run',
  data: { train: { use: 'jsonl', path: 'rows.jsonl' }, validation: { use: 'jsonl', path: 'rows.jsonl' } },
  tokenizer: { use: 'word', vocabularySize: 20, minimumFrequency: 1, field: ['text', 'target'] },
  // The head has weights of its own, so that it is a parameter of the task.
  model: {
    use: 'bart',
    separateHead: true,
    dModel: 8,
    encoderLayers: 1,
    decoderLayers: 1,
    encoderAttentionHeads: 2,
    decoderAttentionHeads: 2,
    encoderFfnDim: 8,
    decoderFfnDim: 8,
    maxPositionEmbeddings: 8,
    dropout: 0,
    initStd: 0.3,
    padTokenId: 0,
    bosTokenId: 2,
    decoderStartTokenId: 3,
  },
  objective: {
    use: 'multi-task',
    sharing: 'soft',
    tasks: { german: { use: 'sequence-to-sequence' }, warm: { use: 'sequence-classification' } },
  },
  metric: [
    { use: 'token-accuracy', of: 'german' },
    { use: 'accuracy', of: 'warm' },
  ],
  engine: 'tfjs-cpu',
  training: { epochs: 4, batchSize: 3, learningRate: 0.03 },
}

describe('a model with a task that generates and one that classifies', () => {
  let printed = ''
  beforeAll(async () => {
    writeFileSync(join(root, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    writeFileSync(join(root, 'config.yaml'), JSON.stringify(config))
    const trained = await attune(['train', 'config.yaml'])
    expect([trained.code, trained.err]).toEqual([0, ''])
    printed = trained.out
  }, 60_000)

  it('is trained by a command that prints the next command of each task', () => {
    const run = join(root, 'run')
    expect(printed).toContain(`\nGenerate:    npx attune generate ${run} --task german "some text"\n`)
    expect(printed).toContain(`\nPredict:     npx attune predict ${run} --task warm "some text"\n`)
  })

  it('ends texts with the end token of its tokenizer', () => {
    const saved = JSON.parse(readFileSync(join(root, 'run/model/config.json'), 'utf8')) as Row
    expect(saved['eos_token_id']).toBe(3)
    const recorded = JSON.parse(readFileSync(join(root, 'run/config.json'), 'utf8')) as Row
    expect(recorded['model']).not.toHaveProperty('eosTokenId')
    expect(recorded['model']).toHaveProperty('decoderStartTokenId', 3)
  })

  it('generates what a single-task model with the head and the layers of the task generates', async () => {
    const { tensors } = decodeSafetensors(readFileSync(join(root, 'run/model/model.safetensors')), 'the run')
    const valuesOf = (name: string): Float32Array => tensors[name]!.values as Float32Array
    const own = Object.entries(tensors).flatMap(([name, tensor]) => {
      if (name.startsWith('task.') && !name.startsWith('task.german.')) return []
      const difference = `task.german.difference.${name}`
      const values = Object.hasOwn(tensors, difference)
        ? valuesOf(name).map((x, i) => x + valuesOf(difference)[i]!)
        : valuesOf(name)
      return name.includes('.difference.') ? [] : [[name.replace('task.german.', ''), { ...tensor, values }] as const]
    })
    expect(own.map(([name]) => name)).toEqual(expect.arrayContaining(['lm_head.weight', 'final_logits_bias']))
    cpSync(join(root, 'run/model'), join(root, 'single'), { recursive: true })
    writeFileSync(join(root, 'single/model.safetensors'), encodeSafetensors(Object.fromEntries(own)))
    const { tasks: _, ...saved } = JSON.parse(readFileSync(join(root, 'single/config.json'), 'utf8')) as Row
    writeFileSync(join(root, 'single/config.json'), JSON.stringify(saved))
    const texts = ['red', 'blue', '--beams', '2', '--json']
    const lines = async (...args: string[]): Promise<Row[]> => {
      const { out } = await attune(['generate', ...args, ...texts])
      return out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Row)
    }
    const [found, expected] = [await lines('run', '--task', 'german'), await lines('single')]
    expect(found.map(({ text }) => text)).toEqual(expected.map(({ text }) => text))
    for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(expected[i]!['score'] as number, 5)
  })

  it('predicts texts of the named task, and rows of a file by the task that they name', async () => {
    const { out } = await attune(['predict', 'run', '--task', 'warm', 'red', 'blue'])
    const lines = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { 'warm.label'?: string; error?: { code: string; remedy: string } })
    const labels = lines(out).map((line) => line['warm.label'])
    expect(labels).toEqual([expect.stringMatching(/^(yes|no)$/), expect.stringMatching(/^(yes|no)$/)])
    const all = lines((await attune(['predict', 'run', '--file', 'rows.jsonl'])).out)
    expect(
      all
        .filter((line) => 'warm.label' in line)
        .map((line) => line['warm.label'])
        .slice(0, 2),
    ).toEqual(labels)
    const remedy = `Generate the text: npx attune generate ${join(root, 'run')} --task german "some text"`
    expect(all.flatMap(({ error }) => (error === undefined ? [] : [error]))).toEqual(
      PAIRS.map(() => expect.objectContaining({ code: 'NOT_A_CLASSIFIER', remedy }) as unknown),
    )
  })

  it.each([
    [['generate', 'run', 'red'], /^TASK_MISMATCH: .*, german or warm, got none/],
    [['generate', 'run', 'red', '--task', 'warm'], /^NOT_A_WRITER: .*"warm"[^]*\nPredict: .* --task warm/],
    [['generate', 'run', 'red', '--task', 'dutch'], /^TASK_MISMATCH: expected one of the tasks german, warm/],
    [['predict', 'run', 'red', '--task', 'dutch'], /^TASK_MISMATCH: expected one of the tasks german, warm/],
    [['predict', 'run/model', 'red', '--task', 'warm'], /^TASK_MISMATCH: expected a multi-task run/],
    [['generate', 'run', 'red', '--task', 'german', '--adapter', 'run'], /^BAD_USAGE/],
    [['predict', 'run', 'red', '--task', 'german', '--adapter', 'run'], /^BAD_USAGE/],
  ])('rejects %j', async (args, problem) => {
    expect((await attune(args)).err).toMatch(problem)
  })
})
