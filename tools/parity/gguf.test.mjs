// @ts-check
/** The metadata of a GGUF file configures a model plugin whose parameters match the tensors in the file by name and shape. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { MODEL, key, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { deferredWeights, rotaryFrequencies } from '@attune/nn'
import { optionsFromConfig } from '@attune/weights'
import { openWeights } from '@attune/weights/node'
import { root } from './measure-model.mjs'

const folder = join(root, 'packages/weights/golden/gguf')
const PLUGINS = {
  llama: 'llama',
  qwen2: 'llama',
  qwen3: 'llama',
  gpt2: 'gpt2',
  gemma: 'gemma',
  gemma2: 'gemma',
  gemma3_text: 'gemma',
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.gguf') && name !== 'quantised.gguf'))
  it(`${file} matches a model of a plugin`, async () => {
    const reader = openWeights(join(folder, file))
    const config = reader.config ?? assert.fail('unknown architecture')
    const type = /** @type {keyof typeof PLUGINS} */ (config['model_type'])
    const plugin = (await findPlugin(MODEL, userSpecifier(PLUGINS[type]), { folders: [root] })).plugin
    /** @type {import('@attune/core').Model} */
    const model = plugin(optionsFromConfig(plugin.options, config))
    const weights = deferredWeights(() => model.init(key(1))) ?? {}
    for (const [name, { shape }] of reader.tensors)
      if (name !== 'lm_head.weight') assert.deepEqual([name, shape], [name, weights[name]?.shape])
    if (type === 'gemma2') assert.equal(model.heads['causal-language-modeling']?.softcap, 20)
    reader.close()
  })

it('scales rotary frequencies by the factors of Llama 3.1 like transformers', () => {
  const reader = openWeights(join(folder, 'llama3.gguf'))
  const expected = JSON.parse(readFileSync(join(folder, 'llama3.json'), 'utf8'))
  const { rope_theta, rope_scaling } = /** @type {any} */ (reader.config)
  const frequencies = rotaryFrequencies(expected.headSize, { rope_theta, ...rope_scaling })
  for (const [i, frequency] of expected.frequencies.entries())
    assert.ok(
      Math.abs((frequencies[i] ?? 0) / frequency - 1) < 5e-7,
      `${i}: expected ${frequency}, got ${frequencies[i]}`,
    )
  reader.close()
})
