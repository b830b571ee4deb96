import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type HostArray, type Params, type TextInputs } from '@attune/core'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { headFor, tokenLogits } from '@attune/nn'
import { type Pretrained, loadPretrained, saveModel } from '@attune/trainer/node'
import { searchPathsFrom } from './search-paths.js'

const golden = fileURLToPath(new URL('../golden/stored-heads', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'attune-heads-'))
const { prompt, logits } = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8')) as {
  prompt: number[]
  logits: Record<string, number[]>
}
beforeAll(() => {
  cpSync(golden, root, { recursive: true })
  for (const name of Object.keys(logits))
    for (const file of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(root, file), join(root, name, file))
})
afterAll(() => rmSync(root, { recursive: true }))

const load = (folder: string): Promise<Pretrained> =>
  loadPretrained(
    folder,
    ({ heads }) => ({
      use: 'sequence-to-sequence' in heads ? 'sequence-to-sequence' : 'causal-language-modeling',
    }),
    searchPathsFrom(),
  )

/** Logits after the prompt, which an encoder–decoder reads twice. */
async function lastLogits({ engine, model, params, task }: Pretrained): Promise<number[]> {
  const ids: HostArray = { shape: [1, prompt.length], dtype: 'int32', values: Int32Array.from(prompt) }
  const ones: HostArray = { ...ids, values: new Int32Array(prompt.length).fill(1) }
  const given = engine.put({ ids, ones, types: { ...ids, values: new Int32Array(prompt.length) } }) as unknown as Params
  const compute = engine.compile((all: Params, p: Params) => {
    const inputs: TextInputs = { inputIds: p['ids']!, attentionMask: p['ones']!, tokenTypeIds: p['types']! }
    const targets = { decoderInputIds: p['ids']!, decoderAttentionMask: p['ones']! }
    const whole = task === 'sequence-to-sequence' ? { ...inputs, ...targets } : inputs
    const { lastHiddenState } = model.forward(all, whole, { training: false })
    return { logits: tokenLogits(model, headFor(model, task), all, lastHiddenState) }
  })
  const read = (await engine.read(compute(params, given))) as unknown as { logits: HostArray }
  return [...read.logits.values].slice(-32)
}

it.each([
  ['gpt2', 'both are kept, untied'],
  ['llama', 'both are kept, untied'],
  ['llama-copy', undefined],
  ['llama-only-head', undefined],
  ['llama-no-head', 'the word embeddings are used, tied'],
  ['t5', 'both are kept, untied'],
  ['bart', 'both are kept, untied'],
])('matches the logits of transformers where config.json and the weights disagree: %s', async (name, warning) => {
  const loaded = await load(join(root, name))
  expect(loaded.warnings).toEqual(warning === undefined ? [] : [expect.stringContaining(warning)])
  const found = await lastLogits(loaded)
  expect(found.map((value, i) => Math.abs(value - logits[name]![i]!)).filter((error) => error > 1e-4)).toEqual([])
  const saved = await saveModel(join(root, `${name}-saved`), loaded, loaded.params)
  await loaded.close()
  const again = await load(saved)
  expect(await lastLogits(again)).toEqual(found)
  await again.close()
})
