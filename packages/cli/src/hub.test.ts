import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { HubEvent } from '@attune/hub'
import { commandsIn } from './command.test.fixture.js'
import { byteText, showHub, timeText } from './hub-progress.js'

const root = mkdtempSync(join(tmpdir(), 'attune-hub-commands-'))
const COMMIT = 'ab'.repeat(20)
const FILES: Readonly<Record<string, string>> = {
  'README.md': '# A toy\n',
  'config.json': '{"model_type":"gpt2"}',
  'model.safetensors': 'weights',
  'tokenizer.json': '{"model":{"type":"WordPiece"}}',
}
const gitId = (text: string): string => createHash('sha1').update(`blob ${text.length}\0${text}`).digest('hex')

/** The parts of the Hub that are read, for one model. */
function hub(): Server {
  return createServer(({ url = '' }, response) => {
    const name = url.split('/').at(-1) ?? ''
    if (url.startsWith('/api/models/org/toy/revision/main'))
      response.end(JSON.stringify({ id: 'org/toy', sha: COMMIT }))
    else if (url.startsWith(`/api/models/org/toy/tree/${COMMIT}`)) {
      const file = ([path, text]: [string, string]) => ({ type: 'file', path, size: text.length, oid: gitId(text) })
      response.end(JSON.stringify(Object.entries(FILES).map(file)))
    } else if (url.includes('/resolve/') && name in FILES) response.end(FILES[name])
    else response.writeHead(404).end()
  })
}

const commands = commandsIn(root, { HF_HOME: root, HF_HUB_CACHE: join(root, 'hub'), HF_TOKEN: '' })
const server = hub()
let endpoint = ''
beforeAll(async () => {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  mkdirSync(join(root, 'model'))
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, 'model', path), text)
})
afterAll(() => {
  commands.close()
  server.close()
  rmSync(root, { recursive: true })
})

/** Runs the command in the temporary folder, with its own Hub and cache. */
const attune = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  commands.attune(args, '', { HF_ENDPOINT: endpoint, ...more })

describe('attune download', () => {
  it('prints only the folder on standard output, and works offline afterwards', async () => {
    const { code, out, err } = await attune(['download', 'org/toy'])
    const folder = join(root, 'hub', 'models--org--toy', 'snapshots', COMMIT)
    expect([code, out]).toEqual([0, `${folder}\n`])
    expect(err).toBe('org/toy at main: 4 files, 66 B\n')
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe(FILES['config.json'])
    const offline = await attune(['download', 'org/toy', '--offline', '--json'], { HF_ENDPOINT: 'http://localhost:2' })
    expect(JSON.parse(offline.out)).toMatchObject({ folder, commit: COMMIT })
  })

  it('reports an invalid name, an unknown model and a missing file', async () => {
    expect(await attune(['download', '../toy'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^BAD_MODEL_NAME/),
    })
    expect(await attune(['download', 'org/none'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^HUB_NOT_FOUND/),
    })
    const missing = await attune(['download', 'org/toy', '--file', 'none.bin'])
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('none.bin') })
  })
})

describe('attune upload', () => {
  const token = { HF_TOKEN: 'hf_secret' }
  it('uploads nothing if all files are equal, and replaces nothing without --over', async () => {
    const same = await attune(['upload', 'model', 'org/toy', '--json'], token)
    expect(JSON.parse(same.out)).toEqual({ url: `${endpoint}/org/toy`, commit: COMMIT, changed: false })
    expect(same.err).toContain('unchanged  model.safetensors')
    writeFileSync(join(root, 'model', 'config.json'), '{}')
    const refused = await attune(['upload', 'model', 'org/toy'], token)
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining(`--over ${COMMIT}`) })
    expect(refused.err).not.toContain('hf_secret')
  })

  it('rejects a missing token, and commits without forty digits', async () => {
    expect(await attune(['upload', 'model', 'org/toy'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('HF_TOKEN'),
    })
    expect((await attune(['upload', 'model', 'org/toy', '--over', 'main'], token)).err).toContain(
      '40 hexadecimal digits',
    )
  })
})

describe('a model of the Hub', () => {
  it('replaces a folder, for generation and for training', async () => {
    const written = await attune(['generate', 'org/toy', 'a prompt'])
    expect(written.err).toContain(join('snapshots', COMMIT)) // what is amiss with this toy is found in the cache
    const neither = await attune(['generate', 'org/none', 'a prompt'])
    expect(neither.err).toMatch(/^HUB_NOT_FOUND: the folder org\/none does not exist, and /)
    for (const model of ['{ use: bert, from: org/toy }', '{ use: mlp, encoder: { use: bert, from: org/toy } }']) {
      writeFileSync(
        join(root, 'train.yaml'),
        `model: ${model}\ndata: { train: { use: jsonl, path: x.jsonl } }\nobjective: causal-language-modeling\ntokenizer: { use: wordpiece }\n`,
      )
      const trained = await attune(['train', 'train.yaml'])
      expect(trained.err).toMatch(/WRONG_MODEL_TYPE: .*snapshots.*"gpt2"/)
    }
  })
})

describe('progress', () => {
  it('formats bytes and durations', () => {
    expect([0, 999, 1000, 1_450_000, 2.5e9, 3e15].map(byteText)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '1.4 MB',
      '2.5 GB',
      '3000.0 TB',
    ])
    expect([0, 5, 65, 7200, Infinity].map(timeText)).toEqual(['0:00', '0:05', '1:05', '2:00:00', '?'])
  })

  it('redraws in place only on a terminal', () => {
    const event = {
      type: 'download.progressed',
      at: 0,
      bytesHere: 5e6,
      bytes: 1e7,
      bytesPerSecond: 1e6,
      secondsLeft: 5,
    }
    const shown = (isTTY: boolean): string => {
      let text = ''
      showHub({ isTTY, write: (part) => (text += part) })(event as HubEvent)
      return text
    }
    expect(shown(true)).toBe('\r\u001b[2K5.0 MB of 10.0 MB, 1.0 MB/s, 0:05 left')
    expect(shown(false)).toBe('')
  })
})
