import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Pretrained } from '@attune/trainer/node'
import { writeCompanions } from './write-companions.js'

const root = mkdtempSync(join(tmpdir(), 'attune-companions-'))
afterAll(() => rmSync(root, { recursive: true }))

const folder = (name: string, files: Readonly<Record<string, unknown>> = {}): string => {
  mkdirSync(join(root, name))
  for (const [file, content] of Object.entries(files)) writeFileSync(join(root, name, file), JSON.stringify(content))
  return join(root, name)
}
const read = (...path: string[]): unknown => JSON.parse(readFileSync(join(...path), 'utf8'))

const loaded = {
  task: 'causal-language-modeling',
  model: { config: { model_type: 'x', bos_token_id: 1, eos_token_id: [2, 3] }, maximumLength: 64 },
  objective: { config: { architectures: ['X'] }, maximumLength: 16 },
  tokenizer: { special: {}, files: () => ({ 'tokenizer.json': { a: 1 }, 'tokenizer_config.json': { b: 1 } }) },
} as unknown as Pretrained

describe('writeCompanions', () => {
  it('creates missing files: configuration, tokenizer with the maximum length, special tokens for generation', async () => {
    const [source, to] = [folder('weights-only'), folder('created')]
    const written = await writeCompanions(loaded, source, to, ['onnx/model.onnx'])
    expect([...written].sort()).toEqual([
      'config.json',
      'generation_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
    expect(read(to, 'config.json')).toEqual({ ...loaded.model.config, architectures: ['X'] })
    expect(read(to, 'generation_config.json')).toEqual({ bos_token_id: 1, eos_token_id: [2, 3] })
    expect(read(to, 'tokenizer_config.json')).toEqual({ b: 1, model_max_length: 64 })
  })

  it('copies the files of the model, and keeps a smaller maximum length', async () => {
    const files = {
      'config.json': { model_type: 'x', own: true },
      'generation_config.json': { eos_token_id: 5 },
      'tokenizer.json': { own: true },
      'tokenizer_config.json': { model_max_length: 32 },
    }
    const [source, to] = [folder('whole', { ...files, 'model.safetensors': {} }), folder('copied')]
    await writeCompanions(loaded, source, to, ['onnx/model.onnx'])
    expect(readdirSync(to).sort()).toEqual(Object.keys(files).sort())
    for (const [name, content] of Object.entries(files)) expect(read(to, name)).toEqual(content)
  })

  it('truncates the texts of a classifier to the length of the training', async () => {
    const to = folder('classifier')
    const config = { model_max_length: 1e30 }
    const source = folder('endless', { 'tokenizer_config.json': config })
    await writeCompanions({ ...loaded, task: 'sequence-classification' }, source, to, [])
    expect(read(to, 'tokenizer_config.json')).toEqual({ model_max_length: 16 })
    expect(readdirSync(to)).not.toContain('generation_config.json')
  })

  it('announces files of large weights in config.json', async () => {
    const to = folder('large', { 'config.json': { own: 1, 'transformers.js_config': { dtype: 'fp32' } } })
    await writeCompanions(loaded, to, to, ['onnx/model.onnx', 'onnx/model.onnx_data'])
    expect(read(to, 'config.json')).toEqual({
      own: 1,
      'transformers.js_config': { dtype: 'fp32', use_external_data_format: { 'model.onnx': true } },
    })
  })
})
