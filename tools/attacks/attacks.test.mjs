// @ts-check
/** Attacks: no code from a model, a run's folder, the cache or the working directory is executed. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { attune, makeCase, root, violations } from './command.mjs'

const MODEL = join(root, 'examples/models/debian-bert')
const tokenizerWith = (/** @type {string} */ type) => {
  const tokenizer = JSON.parse(readFileSync(join(MODEL, 'tokenizer.json'), 'utf8'))
  return JSON.stringify({ ...tokenizer, model: { ...tokenizer.model, type } })
}
const configWith = (/** @type {object} */ changes) =>
  JSON.stringify({ ...JSON.parse(readFileSync(join(MODEL, 'config.json'), 'utf8')), ...changes })

/** @type {ReturnType<typeof makeCase>} */
let at
const begin = () => (at = makeCase())
afterEach(() => rmSync(at.home, { recursive: true, force: true }))

/** Copies the example's model into the project. @param {Record<string, string>} changes content by file */
function modelWith(changes) {
  cpSync(MODEL, join(at.project, 'model'), { recursive: true })
  for (const [name, content] of Object.entries(changes)) at.write(`project/model/${name}`, content)
}

/** Installs a package in the project's node_modules. @param {string} name @param {object} attune @param {string} program */
function installInProject(name, attune, program) {
  const manifest = { name, version: '9.9.9', main: 'index.cjs', attune }
  at.write(`project/node_modules/${name}/package.json`, JSON.stringify(manifest))
  at.write(`project/node_modules/${name}/index.cjs`, program)
}

const harmless = (/** @type {import('./command.mjs').Outcome} */ outcome, endpoint = '') => {
  assert.equal(at.hasRun(), false, 'a program ran')
  assert.deepEqual(violations(outcome, endpoint), [])
}

describe('the monitor', () => {
  it('reports a module that the user names, its child processes and its connections', async () => {
    begin()
    at.write(
      'project/mine.cjs',
      `${at.program}
require('node:child_process').spawnSync('true')
require('node:net').connect(9, '127.0.0.1').on('error', () => undefined)
`,
    )
    const outcome = await attune(at, ['plugins', 'info', 'metric', './mine.cjs'])
    assert.equal(at.hasRun(), true)
    const did = violations(outcome).map(({ did: kind, what }) => `${kind} ${what.replace(/^.*project\//, '')}`)
    assert.deepEqual([...new Set(did)].sort(), ['connect 127.0.0.1:9', 'load mine.cjs', 'spawn true'])
  })
})

describe('a model folder', () => {
  const TYPES = (/** @type {string} */ program) => [
    './evil.cjs',
    program,
    pathToFileURL(program).href,
    '../model/evil.cjs',
    'attune-plugin-evil',
    'evil',
    'data:text/javascript,1',
    'node:fs',
    '__proto__',
    'constructor',
  ]

  it('is rejected without loading code if config.json or tokenizer.json names a program', async () => {
    begin()
    const program = at.write('project/evil.cjs', at.program)
    at.write('project/model/evil.cjs', at.program)
    installInProject('attune-plugin-evil', { kind: 'model', name: 'evil' }, at.program)
    installInProject('@attune/tokenizer-evil', { kind: 'tokenizer', name: 'evil', reads: ['evil'] }, at.program)
    for (const [i, type] of TYPES(program).entries()) {
      modelWith({ 'config.json': configWith({ model_type: type, auto_map: { AutoModel: 'evil.cjs' } }) })
      const asModel = await attune(at, ['predict', 'model', 'hello'])
      harmless(asModel)
      assert.deepEqual([asModel.code, /UNKNOWN_MODEL_TYPE/.test(asModel.err)], [2, true], asModel.err)
      modelWith({ 'config.json': configWith({}), 'tokenizer.json': tokenizerWith(type) })
      const command = i % 2 === 0 ? ['predict', 'model', 'hello'] : ['generate', 'model', 'hello']
      const asTokenizer = await attune(at, command)
      harmless(asTokenizer)
      assert.deepEqual([asTokenizer.code, /BAD_TOKENIZER/.test(asTokenizer.err)], [2, true], asTokenizer.err)
    }
  })

  it('is loaded with plugins of the installation, not with packages of the same name in the working directory', async () => {
    begin()
    modelWith({})
    for (const [name, attuneField] of /** @type {[string, object][]} */ ([
      ['@attune/tokenizer-wordpiece', { kind: 'tokenizer', name: 'wordpiece', reads: ['WordPiece'] }],
      ['@attune/model-bert', { kind: 'model', name: 'bert' }],
      ['@attune/engine-onnxruntime', { kind: 'engine', name: 'onnxruntime', preference: 99 }],
      ['@attune/engine-evil', { kind: 'engine', name: 'evil', preference: 100 }],
      ['@attune/objective-masked-language-modeling', { kind: 'objective', name: 'masked-language-modeling' }],
      ['attune-plugin-source', { kind: 'source', name: 'jsonl' }],
    ]))
      installInProject(name, attuneField, at.program)
    at.write('project/texts.jsonl', '{"text":"hello"}\n')
    for (const args of [
      ['predict', 'model', '--file', 'texts.jsonl'],
      ['generate', 'model', 'hello'],
      ['doctor', '--json'],
      ['plugins', 'list'],
    ])
      harmless(await attune(at, args))
  })
})

describe('a repository of the Hub', () => {
  it('executes nothing if its tokenizer type is the path of a file in the cache', async () => {
    begin()
    const git = (/** @type {Buffer} */ bytes) =>
      createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
    const card = Buffer.from(`/*\n# A friendly model\n*/\n${at.program}`)
    const blob = `../.cache/huggingface/hub/models--some--model/blobs/${git(card)}`
    /** @type {Record<string, Buffer>} */
    const files = {
      'README.md': card,
      'config.json': readFileSync(join(MODEL, 'config.json')),
      'model.safetensors': readFileSync(join(MODEL, 'model.safetensors')),
      'tokenizer.json': Buffer.from(tokenizerWith(blob)),
    }
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '', 'http://hub')
      const json = (/** @type {unknown} */ value) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      }
      if (pathname.includes('/revision/')) return json({ id: 'some/model', sha: 'a'.repeat(40) })
      if (pathname.includes('/tree/'))
        return json(
          Object.entries(files).map(([path, bytes]) => ({ type: 'file', path, size: bytes.length, oid: git(bytes) })),
        )
      const bytes = files[pathname.split('/').slice(5).join('/')] ?? Buffer.alloc(0)
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    })
    await new Promise((ready) => server.listen(0, '127.0.0.1', () => ready(undefined)))
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
    try {
      for (const command of ['predict', 'generate', 'chat']) {
        const outcome = await attune(at, [command, 'some/model', ...(command === 'chat' ? [] : ['hello'])], {
          HF_ENDPOINT: `http://127.0.0.1:${port}`,
        })
        harmless(outcome, `127.0.0.1:${port}`)
        assert.equal(outcome.code, 2, outcome.err)
        assert.ok(existsSync(join(at.project, blob)), 'the program was not downloaded, so the attack is not tested')
      }
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

describe('a run folder', () => {
  it('from elsewhere does not load its third-party plugin, and the error names the program', async () => {
    begin()
    const rows = Array.from(
      { length: 24 },
      (_, i) => `${JSON.stringify({ text: `a text ${i}`, label: i % 2 ? 'odd' : 'even' })}\n`,
    )
    at.write('project/train.jsonl', rows.join(''))
    const core = pathToFileURL(join(root, 'packages/core/dist/index.js')).href
    const metric = pathToFileURL(join(root, 'plugins/metric-accuracy/dist/accuracy.js')).href
    at.write(
      'project/mine.mjs',
      `import { appendFileSync } from 'node:fs'
import { METRIC, definePlugin } from '${core}'
import accuracy from '${metric}'
appendFileSync(${JSON.stringify(join(at.home, 'ran'))}, 'ran')
export default definePlugin({ ...accuracy, kind: METRIC, name: 'mine', summary: 'Mine', create: () => accuracy() })
`,
    )
    const config = {
      directory: 'run',
      data: { train: { use: 'jsonl', path: 'train.jsonl' } },
      tokenizer: { use: 'wordpiece', vocabularySize: 100 },
      model: { use: 'bert', hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16 },
      objective: { use: 'sequence-classification', maximumLength: 16 },
      engine: 'onnxruntime',
      metric: ['./mine.mjs'],
      training: { epochs: 1, batchSize: 8 },
    }
    at.write('project/config.yaml', JSON.stringify(config))
    const trained = await attune(at, ['train', 'config.yaml'])
    assert.deepEqual([trained.code, at.hasRun()], [0, true], trained.err)
    const again = await attune(at, ['evaluate', 'run', '--split', 'validation'])
    assert.equal(again.code, 0, again.err)
    // Simulates another user, who never started that run.
    rmSync(join(at.home, 'ran'))
    rmSync(join(at.home, '.local'), { recursive: true })
    for (const args of [
      ['evaluate', 'run', '--split', 'validation'],
      ['train', '--resume', 'run'],
    ]) {
      const outcome = await attune(at, args)
      harmless(outcome)
      assert.match(outcome.err, /NOT_TRUSTED.*\n +metric \.\/mine\.mjs runs the program .*mine\.mjs/)
      assert.equal(outcome.code, 2)
    }
    const predicted = await attune(at, ['predict', 'run', 'a text'])
    harmless(predicted)
    assert.equal(predicted.code, 0, predicted.err)
    const trusted = await attune(at, ['evaluate', 'run', '--split', 'validation', '--trust'])
    assert.deepEqual([trusted.code, at.hasRun()], [0, true], trusted.err)
    assert.match(readFileSync(join(at.project, 'run/trusted.jsonl'), 'utf8'), /mine\.mjs/)
  })
})
