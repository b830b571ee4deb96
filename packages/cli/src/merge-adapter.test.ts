import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { isAttuneError } from '@attune/core'
import { type MergeOptions, mergeSavedAdapter } from '@attune/trainer/node'
import { decodeSafetensors, encodeSafetensors } from '@attune/weights'
import { expectClose } from '@attune/testkit'
import { commandsIn } from './command.test.fixture.js'
import { buildProgram } from './program.js'
import { searchPathsFrom } from './search-paths.js'

const plugin = (path: string): string => fileURLToPath(new URL(`../../../plugins/${path}`, import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'attune-merge-'))
const commands = commandsIn(root)
afterAll(() => {
  commands.close()
  rmSync(root, { recursive: true })
})

const attune = async (...args: readonly string[]): Promise<string> => {
  const { code, out, err } = await commands.attune(args)
  expect([code, code === 0 ? '' : err]).toEqual([0, ''])
  return out
}
const at = (folder: string): string => resolve(root, folder)
/** Runs `attune adapter` in this process, and returns what it prints. */
async function adapter(verb: string, model: string, saved: string, out: string, ...more: string[]): Promise<string> {
  const printed: string[] = []
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
  const folders = ['--model', at(model), '--adapter', at(saved), '--out', at(out)]
  try {
    await buildProgram().parseAsync(['adapter', verb, ...folders, ...more], { from: 'user' })
  } finally {
    write.mockRestore()
  }
  return printed.join('')
}
/** The error of a merge in this process, as `CODE problem remedy`. */
const refusal = async (model: string, saved: string, more: Partial<MergeOptions> = {}): Promise<string> => {
  const given = { model: at(model), adapter: at(saved), output: at('new'), searchPaths: searchPathsFrom(), ...more }
  try {
    await mergeSavedAdapter(given)
  } catch (error) {
    if (isAttuneError(error)) return `${error.code} ${error.problem} ${error.remedy}`
    throw error
  }
  throw new Error('expected the merge to fail')
}
const read = (path: string) => decodeSafetensors(readFileSync(join(root, path)), path).tensors
const golden = (path: string) => decodeSafetensors(readFileSync(plugin(path)), path).tensors
const json = (...path: string[]): Record<string, unknown> =>
  JSON.parse(readFileSync(join(root, ...path), 'utf8')) as Record<string, unknown>

describe('attune adapter merge', () => {
  it.each([
    ['bert', 'classification', 'lora'],
    ['gpt2', 'lm', 'rslora'],
  ])('returns the weights of merge_and_unload of peft for %s', async (name, test, method) => {
    const saved = plugin(`adapter-lora/golden/${name}/saved`)
    const printed = await adapter('merge', plugin(`model-${name}/golden/${test}`), saved, name)
    expect(printed).toMatch(new RegExp(`^.*: ${method} merged, \\d+ of \\d+ tensors changed, saved as float32\\n$`))
    expectClose(read(`${name}/model.safetensors`), golden(`adapter-lora/golden/${name}/saved/merged.safetensors`), 1e-5)
    expect(json(name, 'config.json')).toMatchObject({ torch_dtype: 'float32' })
  })

  it('copies the tensors that the adapter does not change bit for bit', () => {
    const [merged, base] = [
      read('bert/model.safetensors'),
      golden('model-bert/golden/classification/model.safetensors'),
    ]
    const same = Object.keys(base).filter(
      (name) => !/query.weight|value.weight|output.dense.weight|classifier/.test(name),
    )
    expect(same.length).toBeGreaterThan(10)
    for (const name of same) expect([name, merged[name]]).toEqual([name, base[name]])
  })
})

const CONFIG = `data: { train: { use: jsonl, path: rows.jsonl } }
objective: { use: sequence-classification, maximumLength: 12 }
engine: tfjs-cpu
`
const BERT =
  '{ use: bert, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, maxPositionEmbeddings: 24 }'

describe('an adapter that a run saved', () => {
  beforeAll(async () => {
    const rows = Array.from({ length: 24 }, (_, i) => ({ text: `the ${i % 2 ? 'good' : 'bad'}`, label: `${i % 2}` }))
    writeFileSync(join(root, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const training = (rate: number): string => `training: { epochs: 1, batchSize: 8, learningRate: ${rate} }\n`
    const base = `tokenizer: { use: wordpiece, vocabularySize: 100 }\nmodel: ${BERT}\n`
    writeFileSync(join(root, 'base.yaml'), `directory: base\n${CONFIG}${base}${training(0.01)}`)
    const tuned = `tokenizer: { use: wordpiece, path: base/model }\nmodel: { use: bert, from: base/model }\nadapter: { use: lora, rank: 2 }\nsaveAdapter: true\n`
    writeFileSync(join(root, 'tuned.yaml'), `directory: tuned\n${CONFIG}${tuned}${training(0.05)}`)
    await attune('train', 'base.yaml')
    await attune('train', 'tuned.yaml')
  }, 60_000)

  it('predicts as in the run after a merge, and leaves the base unchanged', async () => {
    const before = readFileSync(join(root, 'base/model/model.safetensors'))
    await adapter('merge', 'base', 'tuned', 'merged')
    expectClose(read('merged/model.safetensors'), read('tuned/model/model.safetensors'), 1e-6)
    const predicted = async (model: string) =>
      (JSON.parse(await attune('predict', model, 'the good')) as { label: string }).label
    expect(await predicted('merged')).toBe(await predicted('tuned'))
    expect(readFileSync(join(root, 'base/model/model.safetensors'))).toEqual(before)
    expect(readdirSync(join(root, 'merged')).sort()).toEqual(readdirSync(join(root, 'tuned/model')).sort())
  })

  it('is subtracted by unmerge, up to rounding, except for the head', async () => {
    const report = JSON.parse(await adapter('unmerge', 'tuned', 'tuned', 'unmerged', '--json')) as { deviation: number }
    expect(report.deviation).toBeLessThan(1e-6)
    const [found, base] = [read('unmerged/model.safetensors'), read('base/model/model.safetensors')]
    const own = (all: typeof found) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('bert.')))
    expectClose(own(found), own(base), 1e-6)
    expect(found['classifier.weight']).toEqual(read('tuned/model/model.safetensors')['classifier.weight'])
  })

  it('brings its head to a base model without one, with the labels that are named', async () => {
    cpSync(join(root, 'base/model'), join(root, 'headless'), { recursive: true })
    const weights = Object.entries(read('base/model/model.safetensors')).flatMap(([name, array]) =>
      name.startsWith('bert.') ? [[name.slice(5), array] as const] : [],
    )
    writeFileSync(join(root, 'headless/model.safetensors'), encodeSafetensors(Object.fromEntries(weights)))
    const { id2label: _, label2id: __, ...config } = json('headless/config.json')
    writeFileSync(join(root, 'headless/config.json'), JSON.stringify({ ...config, architectures: ['BertModel'] }))
    expect(await refusal('headless', 'tuned')).toMatch(/BAD_ADAPTER.*--objective sequence-classification/)
    const objective = 'sequence-classification'
    expect(await refusal('headless', 'tuned', { objective, labels: ['a'] })).toMatch(/2 labels, got 1/)
    await adapter('merge', 'headless', 'tuned', 'headed', '--objective', objective, '--labels', 'bad,good')
    expect(read('headed/model.safetensors')).toEqual(read('merged/model.safetensors'))
    expect(json('headed/config.json')).toMatchObject({
      architectures: ['BertForSequenceClassification'],
      id2label: { 0: 'bad', 1: 'good' },
    })
  })

  it('is rejected with the reason if it cannot be merged', async () => {
    expect(await refusal('base', 'tuned', { output: join(root, 'merged') })).toMatch(/FILE_EXISTS.*merged.*--out/)
    expect(await refusal('base', 'base/model')).toMatch(/FILE_NOT_FOUND.*adapter_config.json/)
    const changed = (config: object): string => {
      const folder = join(root, `changed-${readdirSync(root).length}`)
      mkdirSync(folder)
      cpSync(join(root, 'tuned/adapter'), folder, { recursive: true })
      const saved = json('tuned/adapter/adapter_config.json')
      writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...saved, ...config }))
      return folder
    }
    expect(await refusal('base', changed({ peft_type: 'NONE' }))).toMatch(/BAD_ADAPTER.*"NONE".*--use/)
    expect(await refusal('base', changed({ peft_type: '../x' }))).toMatch(/BAD_ADAPTER/)
    expect(await refusal('base', changed({ r: 3 }))).toMatch(/BAD_ADAPTER.*lora_A/)
    expect(await refusal('base', 'tuned', { use: 'lroa' })).toMatch(/UNKNOWN_PLUGIN.*lora/)
    expect(await refusal(plugin('model-gpt2/golden/lm'), 'tuned')).toMatch(/BAD_ADAPTER/)
    expect(readdirSync(root)).not.toContain('new')
  })
})
