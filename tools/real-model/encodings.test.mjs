// @ts-check
/**
 * Encodings with the vocabulary of all-MiniLM-L6-v2 (30,522 entries), compared with the tokenizers library (golden values from
 * tools/golden/real_encodings.py): with its tokenizer.json, and with its vocab.txt. Skipped with instructions if the model is missing.
 */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { it } from 'node:test'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { TOKENIZER, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'

/** @import { Tokenizer } from '@attune/core' */
/** @typedef {[ids: number[], offsets: number[]]} Tokens */

const folder = fileURLToPath(new URL('model', import.meta.url))
const search = { folders: [fileURLToPath(new URL('../..', import.meta.url))] }
const read = (/** @type {string} */ path) => gunzipSync(readFileSync(new URL(path, import.meta.url))).toString()

/** @returns {{ source: string, hard: Tokens[], plain: Tokens[] }} */
const golden = () => JSON.parse(read('golden/encodings.json.gz'))
/** @returns {string[]} */
const hardTexts = () => JSON.parse(read('../../packages/text/golden/hard-texts.json.gz'))
/** @returns {string[]} */
const plainTexts = () =>
  read('../../examples/debian-sections/train.jsonl.gz')
    .split('\n')
    .slice(0, 1000)
    .map((line) => JSON.parse(line).text)

/** @returns {Promise<Tokenizer>} */
const open = async (/** @type {string} */ path) =>
  (await findPlugin(TOKENIZER, userSpecifier('wordpiece'), search)).plugin({ path })

function compare(/** @type {Tokenizer} */ tokenizer, /** @type {string[]} */ texts, /** @type {Tokens[]} */ expected) {
  assert.equal(texts.length, expected.length)
  for (const [i, text] of texts.entries()) {
    const { ids, offsets } = tokenizer.encode(text, { offsets: true })
    assert.deepEqual([text, [...ids], offsets?.flat()], [text, ...(expected[i] ?? [])])
  }
}

if (!existsSync(folder))
  it('all-MiniLM-L6-v2: skipped, because the model is missing; run `node tools/real-model/fetch.mjs`', () => {})
else {
  it('matches the encodings of the tokenizers library with the real vocabulary', async () => {
    const { hard, plain } = golden()
    const tokenizer = await open(folder)
    compare(tokenizer, plainTexts(), plain)
    compare(tokenizer, hardTexts(), hard)
  })

  it('matches the same encodings with vocab.txt alone', async () => {
    const older = mkdtempSync(join(tmpdir(), 'attune-older-'))
    for (const file of ['vocab.txt', 'config.json', 'special_tokens_map.json', 'tokenizer_config.json'])
      copyFileSync(join(folder, file), join(older, file))
    const tokenizer = await open(older)
    rmSync(older, { recursive: true })
    compare(tokenizer, hardTexts(), golden().hard)
    assert.deepEqual(tokenizer.special, (await open(folder)).special)
  })
}
