// @ts-check
/**
 * What tiny decoders write, token for token, against transformers (greedy, beams) and plain references (beams in groups,
 * contrastive search); all prompts in one batch, with padding and a cache, where the other side had neither. Made by
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
  ['diverse', 'beams in groups from the paper'],
  ['contrast', 'contrastive search from the paper'],
])

/** Whether nothing is asked for but what says how long a text is, and not to repeat. @param {object} options */
const isPlain = (options) =>
  Object.keys(options).every((name) => ['repetitionPenalty', 'minimumNewTokens', 'noRepeatNgramSize'].includes(name))

/** A tokenizer is needed for texts; ids are compared here. @type {any} */
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
            const events = await lastValueFrom(writes.write(prompts, given).pipe(toArray()))
            const finished = events.flatMap((event) => (event.type === 'finished' ? [event] : []))
            return finished.sort((a, b) => a.row - b.row).map(({ ids }) => [...ids])
          }
        })
        for (const [kind, source] of kinds)
          for (const each of golden[kind].filter((/** @type {any} */ { model }) => model === folder))
            it(`${JSON.stringify(each.options)}, as ${source}`, async () => {
              const live = engine.live()
              assert.deepEqual(await write(each.options, each.ends), each.written)
              assert.equal(engine.live(), live)
            })
        for (const each of golden.texts.filter((/** @type {any} */ t) => t.model === folder && isPlain(t.options)))
          it(`${JSON.stringify(each.options)}, each prompt alone with guesses read ahead, as ${golden.source}`, async () => {
            const options = { ...each.options, promptLookupTokens: 3 }
            for (const [i, prompt] of golden.prompts.entries())
              assert.deepEqual(await write(options, each.ends, [prompt]), [each.written[i]])
          })
      })
  })
}
