// @ts-check
/**
 * The cache shared with Python's huggingface_hub: files cached by one library are read by the other without downloading them again. Runs if
 * the environment variable PYTHON names a Python that has the library.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { download } from '@attune/hub'
import { lastValueFrom } from 'rxjs'
import { startHub } from '../../packages/hub/dist/hub-server.test.fixture.js'
import { addRepository } from '../../packages/hub/dist/hub-state.test.fixture.js'
import { pythonWith } from './python.mjs'

const { python, absent } = pythonWith('huggingface_hub')

const FILES = {
  'README.md': Buffer.from('# A toy\n'),
  'config.json': Buffer.from('{"model_type":"toy"}'),
  'model.safetensors': Buffer.alloc(3_000_000, 'weights'),
  'pytorch_model.bin': Buffer.from('a pickle'),
  'tokenizer.json': Buffer.from('{}'),
}
const NEEDED = Object.keys(FILES).filter((path) => !path.endsWith('.bin'))

if (absent !== undefined) it('the cache is shared with huggingface_hub', { skip: absent })
else
  describe('the cache shared with huggingface_hub', () => {
    /** @type {import('../../packages/hub/dist/hub-state.test.fixture.js').HubServer} */
    let hub
    /** @type {string} */
    let cache
    /** @type {string} */
    let commit
    before(async () => void (hub = await startHub()))
    after(() => hub.close())
    beforeEach(() => {
      cache = mkdtempSync(join(tmpdir(), 'attune-hub-'))
      commit = addRepository(hub, 'org/toy', FILES)
      hub.seen.length = 0
    })
    afterEach(() => rmSync(cache, { recursive: true }))

    const script = fileURLToPath(new URL('hub_cache.py', import.meta.url))
    /** @param {Record<string, string>} environment @param {string[]} revision */
    const inPython = async (environment = {}, ...revision) => {
      const { stdout } = await promisify(execFile)(/** @type {string} */ (python), [script, 'org/toy', ...revision], {
        env: {
          PATH: process.env['PATH'],
          HF_ENDPOINT: hub.endpoint,
          HF_HOME: cache,
          HF_HUB_CACHE: cache,
          ...environment,
        },
      })
      return stdout.trim().split('\n').at(-1)
    }
    const here = async (reference = 'org/toy', options = {}) => {
      const last = await lastValueFrom(
        download(reference, { endpoint: hub.endpoint, cache, environment: {}, ...options }),
      )
      return last.type === 'download.completed' ? last.folder : undefined
    }
    const contents = () =>
      hub.seen.filter(({ host, method, path }) => method === 'GET' && (host === 'store' || path.includes('/resolve/')))
    const isWhole = () => {
      const folder = join(cache, 'models--org--toy/snapshots', commit)
      assert.deepEqual(readdirSync(folder).sort(), NEEDED)
      for (const path of NEEDED)
        assert.ok(readFileSync(join(folder, path)).equals(FILES[/** @type {keyof typeof FILES} */ (path)]))
      return folder
    }

    it('reads files cached by huggingface_hub without downloading them, also offline', async () => {
      await inPython()
      hub.seen.length = 0
      assert.equal(await here(), isWhole())
      assert.deepEqual(contents(), [])
      hub.seen.length = 0
      await here(`org/toy@${commit}`)
      await here('org/toy', { offline: true })
      assert.deepEqual(hub.seen, [])
    })

    it('writes files that huggingface_hub reads without downloading them, also offline', async () => {
      await here()
      hub.seen.length = 0
      assert.equal(await inPython(), isWhole())
      assert.equal(await inPython({}, commit), isWhole())
      assert.deepEqual(contents(), [])
      hub.seen.length = 0
      assert.equal(await inPython({ HF_HUB_OFFLINE: '1' }), isWhole())
      assert.deepEqual(hub.seen, [])
    })

    it('is complete when both libraries download at the same time', async () => {
      await Promise.all([inPython(), here(), inPython(), here()])
      isWhole()
      assert.equal(await inPython({ HF_HUB_OFFLINE: '1' }), await here('org/toy', { offline: true }))
    })
  })
