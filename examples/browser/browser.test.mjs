// @ts-check
/** Tests the page in headless Chromium, if there is one, and its bundle in a process without the globals of Node.js. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bundle, rows } from '../../tools/browser/bundle.mjs'
import { evaluateIn, findChromium } from '../../tools/browser/chromium.mjs'
import { serve } from '../../tools/browser/serve.mjs'

/** @import { Demonstration } from './dist/demonstrate.js' */

/** Limit for the gzipped script of the page; it takes about 402 kB. */
const MAXIMUM_BYTES = 450_000

const mean = (/** @type {readonly number[]} */ some) => some.reduce((sum, each) => sum + each, 0) / some.length

/** @param {Demonstration} result */
function checkResult({ losses, predictions, again, saved, accuracy }) {
  assert.ok(mean(losses.slice(-6)) < 0.8 * mean(losses.slice(0, 6)), `the loss did not fall: ${losses}`)
  assert.ok(accuracy > 0.6, `expected an accuracy above 0.6 on the training texts (chance is a third), got ${accuracy}`)
  assert.deepEqual(again, predictions)
  assert.deepEqual(saved, ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'])
}

/** Reduces the globals to those of a web worker, and hides WebAssembly until the bundle is loaded. */
const BEFORE = `
const [print, compiler] = [console.log, WebAssembly]
Object.assign(globalThis, { self: globalThis, WorkerGlobalScope: Object })
for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate', 'WebAssembly']) delete globalThis[name]
`

/** Runs the demonstration on files in memory. @param {number} steps */
const after = (steps) => `
globalThis.WebAssembly = compiler
const contents = new Map()
const files = {
  list: async () => [...contents.keys()].sort(),
  read: async (name) => contents.get(name),
  write: async (name, content) =>
    void contents.set(name, typeof content === 'string' ? new TextEncoder().encode(content) : content),
}
print(JSON.stringify([typeof process, typeof Buffer, await attune.demonstrate(${JSON.stringify(rows())}, files, ${steps})]))
`

test('the bundle trains, predicts, saves and loads the model with only web globals', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'attune-browser-'))
  try {
    const script = await bundle('demonstrate.js', { format: 'iife', globalName: 'attune' })
    const file = join(folder, 'bundle.mjs') // an ES module: no `require` either
    writeFileSync(file, `${BEFORE}\n${script}\n${after(48)}`)
    const said = execFileSync(process.execPath, [file], { encoding: 'utf8', maxBuffer: 2 ** 24 })
    const [typeOfProcess, typeOfBuffer, result] = JSON.parse(said)
    assert.deepEqual([typeOfProcess, typeOfBuffer], ['undefined', 'undefined'])
    checkResult(result)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the script of the page is small', async (t) => {
  const { server, bytes } = await serve(0)
  server.close()
  t.diagnostic(`it has ${bytes} bytes gzipped`)
  assert.ok(bytes < MAXIMUM_BYTES, `expected fewer than ${MAXIMUM_BYTES} bytes gzipped, got ${bytes}`)
})

const browser = findChromium()
const skip = browser === undefined && 'no Chromium here; node tools/browser/chromium.mjs unpacks one'

test(
  'the page trains in Chromium, saves the model to the origin private file system and loads it',
  { skip },
  async () => {
    assert.ok(browser !== undefined)
    const { server, url } = await serve(0)
    try {
      const { ATTUNE_SCREENSHOT } = process.env
      const { value, picture } = await evaluateIn(browser, url, 'finished', ATTUNE_SCREENSHOT)
      if (ATTUNE_SCREENSHOT !== undefined) writeFileSync(ATTUNE_SCREENSHOT, Buffer.from(picture ?? '', 'base64'))
      assert.equal(value.error, undefined)
      checkResult(value.result)
    } finally {
      server.close()
    }
  },
)
