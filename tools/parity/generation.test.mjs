// @ts-check
/**
 * Text generation by tiny decoders, token for token, against transformers (greedy, beam search) and reference implementations (diverse beam
 * search, contrastive search). All prompts run in one padded batch with a KV cache; the references use neither. Golden values from
 * tools/golden/generation.py.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ENGINE, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { generator } from '@attune/generate'
import { lastValueFrom, toArray } from 'rxjs'
import { readCase, root } from './measure-model.mjs'

/** @import { Engine } from '@attune/core' */
/** @import { Generator } from '@attune/generate' */

const golden = JSON.parse(readFileSync(join(root, 'tools/parity/golden/generation.json'), 'utf8'))
const kinds = /** @type {const} */ ([
  ['texts', golden.source],
  ['diverse', 'diverse beam search from the paper'],
  ['contrast', 'contrastive search from the paper'],
])

/** True for greedy decoding with no options except length limits and repetition penalties. @param {object} options */
const isPlain = (options) =>
  Object.keys(options).every((name) => ['repetitionPenalty', 'minimumNewTokens', 'noRepeatNgramSize'].includes(name))

/** Stub tokenizer: ids are compared, not texts. @type {any} */
const tokenizer = { special: {}, decode: (/** @type {number[]} */ ids) => ids.join(' ') }

for (const name of ['tfjs-cpu', 'onnxruntime']) {
  /** @type {Engine} */
  const engine = (await findPlugin(ENGINE, userSpecifier(name), { folders: [root] })).plugin()
  describe(`on engine ${name}`, () => {
    before(() => engine.start())
    after(() => engine.close())
    for (const folder of new Set(golden.texts.map((/** @type {any} */ each) => each.model)))
      describe(folder, () => {
        /** @type {(options: object, ends: number[], prompts?: number[][]) => Promise<number[][]>} */
        let write
        before(async () => {
          const { model, weights } = await readCase(join(root, 'plugins', folder))
          const params = /** @type {any} */ (engine.put(weights))
          /** @type {Map<string, Generator>} */
          const made = new Map()
          write = async (options, ends, prompts = golden.prompts) => {
            const config = { ...model.config, eos_token_id: ends }
            const writes =
              made.get(String(ends)) ?? generator({ engine, model: { ...model, config }, params, tokenizer })
            made.set(String(ends), writes)
            const given = { maximumNewTokens: golden.room, ...options }
            const events = await lastValueFrom(writes.generate(prompts, given).pipe(toArray()))
            const finished = events.flatMap((event) => (event.type === 'finished' ? [event] : []))
            return finished.sort((a, b) => a.row - b.row).map(({ ids }) => [...ids])
          }
        })
        for (const [kind, source] of kinds)
          for (const each of golden[kind].filter((/** @type {any} */ { model }) => model === folder))
            it(`${JSON.stringify(each.options)} matches ${source}`, async () => {
              const live = engine.live()
              assert.deepEqual(await write(each.options, each.ends), each.written)
              assert.equal(engine.live(), live)
            })
        for (const each of golden.texts.filter((/** @type {any} */ t) => t.model === folder && isPlain(t.options)))
          it(`${JSON.stringify(each.options)} with speculative decoding of single prompts matches ${golden.source}`, async () => {
            const options = { ...each.options, promptLookupTokens: 3 }
            for (const [i, prompt] of golden.prompts.entries())
              assert.deepEqual(await write(options, each.ends, [prompt]), [each.written[i]])
          })
      })
  })
}
