import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'

/** A project that has a third party's scheduler under an alias, beside a later version of it, and one more by a path. */
const core = new URL('../../core/dist/index.js', import.meta.url).href
const root = realpathSync(mkdtempSync(join(tmpdir(), 'attune-cli-third-party-')))
const { attune, attuneAlone, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

const write = (path: string, content: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

/** The module of a plugin that takes no options. */
const plugin = (kind: string, name: string, create: string): string => `import { ${kind}, definePlugin } from '${core}'
const options = { safeParse: () => ({ success: true, data: {} }), shape: {} }
export default definePlugin({ kind: ${kind}, name: '${name}', summary: 'A test', options, create: ${create} })
`
const NAME = '@acme/attune-plugin-steady'
/** Puts a copy of the scheduler in a folder; the factor identifies it. */
function put(folder: string, version: string, factor: number): void {
  const attune = { kind: 'scheduler', name: 'steady' }
  write(`${folder}/package.json`, JSON.stringify({ name: NAME, version, type: 'module', main: './index.js', attune }))
  write(`${folder}/index.js`, plugin('SCHEDULER', 'steady', `() => () => ${factor}`))
}

const config = (directory: string, scheduler: string, tracker = '[]'): string => {
  write(
    `${directory}.yaml`,
    `directory: ${directory}
data:
  train: { use: jsonl, path: train.jsonl }
  test: { use: jsonl, path: train.jsonl }
tokenizer: { use: wordpiece, vocabularySize: 100 }
model: { use: bert, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 1, intermediateSize: 8, maxPositionEmbeddings: 12 }
objective: sequence-classification
engine: tfjs-cpu
scheduler: ${scheduler}
tracker: ${tracker}
training: { epochs: 2, batchSize: 4, learningRate: 0.01 }
`,
  )
  return `${directory}.yaml`
}
const weights = (run: string): string => readFileSync(join(root, run, 'model/model.safetensors')).toString('hex')

beforeAll(() => {
  put(`node_modules/${NAME}`, '2.0.0', 1)
  put('node_modules/my-steady', '1.2.0', 0.5)
  put('node_modules/.pnpm/acme@1.0.0/node_modules/@acme/attune-plugin-steady', '1.0.0', 0.25)
  symlinkSync('.pnpm/acme@1.0.0/node_modules/@acme/attune-plugin-steady', join(root, 'node_modules/linked'), 'dir')
  put('vendor', '0.4.0', 0.75)
  const interrupt = `() => (events) =>
  events.subscribe((event) => event.type === 'step.completed' && event.step === 4 && process.kill(process.pid, 'SIGINT'))`
  write('interrupt.mjs', plugin('TRACKER', 'interrupt', interrupt))
  const rows = Array.from({ length: 16 }, (_, i) => ({ text: i % 2 ? 'a cat purrs' : 'tests run', label: `${i % 2}` }))
  write('train.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
})

describe("a third party's plugin", () => {
  it.each([
    ['alias', 'my-steady', '1.2.0', 'node_modules/my-steady/index.js', 0.5],
    ['link', 'linked', '1.0.0', 'node_modules/linked/index.js', 0.25],
    ['path', './vendor/index.js', '0.4.0', 'vendor/index.js', 0.75],
  ])(
    'trains by %s, resumes after Ctrl-C to the same bits and is evaluated: %s',
    async (run, use, version, path, factor) => {
      expect(await attune(['train', config(`${run}-whole`, use)])).toMatchObject({ code: 0, err: '' })
      expect(await attuneAlone(['train', config(run, use, '[./interrupt.mjs]')])).toMatchObject({ code: 130 })
      const { plugins } = JSON.parse(readFileSync(join(root, run, 'config.json'), 'utf8')) as { plugins: object[] }
      const expected = { kind: 'scheduler', specifier: use, name: 'steady', package: NAME, version }
      expect(plugins).toContainEqual({ ...expected, path: join(root, path) })
      expect(await attuneAlone(['train', '--resume', run])).toMatchObject({ code: 0, err: '' })
      expect(weights(run)).toBe(weights(`${run}-whole`))
      const rates = readFileSync(join(root, run, 'events.jsonl'), 'utf8').matchAll(/"learningRate":([\d.]+)/g)
      expect([...new Set([...rates].map(([, rate]) => Number(rate)))]).toEqual([0.01 * factor])
      expect(await attune(['evaluate', run])).toMatchObject({ code: 0, err: '' })
    },
  )

  it('is rejected in another version, and resumes with --accept-versions', async () => {
    put('node_modules/my-steady', '1.3.0', 0.5)
    const refused = await attuneAlone(['train', '--resume', 'alias'])
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('VERSIONS_CHANGED')])
    expect(refused.err).toContain(`scheduler my-steady: ${NAME} 1.2.0 → 1.3.0`)
    const accepted = await attuneAlone(['train', '--resume', 'alias', '--accept-versions'])
    expect([accepted.code, accepted.err]).toEqual([0, `accepted: scheduler my-steady: ${NAME} 1.2.0 → 1.3.0\n`])
    expect(await attuneAlone(['train', '--resume', 'alias'])).toMatchObject({ code: 0, err: '' })
  })
})

describe('--accept-versions', () => {
  it('is listed in the help, and rejected for a new run', async () => {
    expect((await attune(['train', '--help'])).out).toContain('--accept-versions')
    const { code, err } = await attune(['train', 'alias.yaml', '--accept-versions'])
    expect([code, err]).toEqual([2, expect.stringContaining('--accept-versions belongs to a run that is resumed')])
  })
})
