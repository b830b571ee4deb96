import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'

const root = mkdtempSync(join(tmpdir(), 'attune-export-'))
const commands = commandsIn(root)
afterAll(() => {
  commands.close()
  rmSync(root, { recursive: true })
})

async function attune(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await commands.attune(args)
  expect([code, code === 0 ? '' : err]).toEqual([0, ''])
  return out
}
const json = (...path: string[]): Record<string, unknown> =>
  JSON.parse(readFileSync(join(root, ...path), 'utf8')) as Record<string, unknown>

const CONFIG = `directory: run
data: { train: { use: jsonl, path: rows.jsonl } }
tokenizer: { use: wordpiece, vocabularySize: 100 }
model: { use: bert, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, maxPositionEmbeddings: 24 }
objective: { use: sequence-classification, maximumLength: 12 }
engine: tfjs-cpu
training: { epochs: 1, batchSize: 8, learningRate: 0.001 }
`

describe('attune export onnx', () => {
  beforeAll(async () => {
    const rows = Array.from({ length: 24 }, (_, i) => ({ text: `the ${i % 2 ? 'good' : 'bad'}`, label: `${i % 2}` }))
    writeFileSync(join(root, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    writeFileSync(join(root, 'config.yaml'), CONFIG)
    await attune('train', 'config.yaml')
  })

  it('writes the graph next to the model of a run, and the length of the training to the tokenizer', async () => {
    const before = readFileSync(join(root, 'run/model/config.json'), 'utf8')
    expect((await attune('export', 'onnx', 'run')).trim()).toBe(join(root, 'run/model/onnx/model.onnx'))
    expect(existsSync(join(root, 'run/model/onnx/model.onnx'))).toBe(true)
    expect(json('run/model/tokenizer_config.json')).toMatchObject({ model_max_length: 12 })
    expect(readFileSync(join(root, 'run/model/config.json'), 'utf8')).toBe(before)
    expect(await attune('predict', 'run', 'the good')).toContain('"label"')
  })

  it('writes a folder of its own with --output', async () => {
    const printed = (await attune('export', 'onnx', 'run', '--output', 'exported')).trim().split('\n')
    const names = ['onnx/model.onnx', 'config.json', 'tokenizer.json', 'tokenizer_config.json']
    expect(printed.sort()).toEqual(names.map((name) => join(root, 'exported', name)).sort())
    expect(readdirSync(join(root, 'exported')).sort()).toEqual([
      'config.json',
      'onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
    expect(json('exported/config.json')).toMatchObject({ id2label: { 0: '0', 1: '1' } })
  })

  it('rejects a model of the Hub without --output, and a class that is not exported', async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, err } = await commands.attune(['export', 'onnx', ...args])
      expect(code).toBe(2)
      return err
    }
    expect(await refused('organization/name')).toContain('--output name-onnx')
    const config = { ...json('exported/config.json'), architectures: ['BertForMultipleChoice'] }
    writeFileSync(join(root, 'exported/config.json'), JSON.stringify(config))
    expect(await refused('exported')).toMatch(/CANNOT_EXPORT[^]*BertForSequenceClassification[^]*BertForMultipleChoice/)
  })
})
