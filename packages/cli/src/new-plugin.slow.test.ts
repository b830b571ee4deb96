import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { newPluginCommand } from './commands/new-plugin/new-plugin.js'
import { pluginFiles, templateKinds } from './commands/new-plugin/plugin-files.js'

/** A folder outside the clone, in which the built packages are installed. */
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'attune-new-plugin-')))
const main = fileURLToPath(new URL('./main.js', import.meta.url))
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
/** The compiler; the native one takes the same projects and is faster. */
const tsc = join(modules, 'typescript-native/bin/tsc')
const installed = join(folder, 'node_modules')

function node(where: string, ...args: string[]): { readonly code: number | null; readonly out: string } {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', XDG_STATE_HOME: folder }
  delete env['NODE_TEST_CONTEXT'] // set if this test itself runs under node --test
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: where, env, encoding: 'utf8' })
  return { code: status, out: stdout + stderr }
}
const create = (...args: string[]) => node(folder, main, 'plugins', 'new', ...args)
const textOf = (path: string): string => readFileSync(join(folder, path), 'utf8')

beforeAll(() => {
  mkdirSync(installed)
  for (const name of readdirSync(modules)) symlinkSync(join(modules, name), join(installed, name))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('attune plugins new', () => {
  it.each([
    ['metric', 'my-metric', []],
    ['tracker', 'my-tracker', ['--directory', 'packages/tracker']],
  ])('writes a %s that compiles and passes its own test outside the clone', (kind, name, flags) => {
    const created = create(kind, name, ...flags)
    const directory = flags[1] ?? `attune-plugin-${kind}-${name}`
    expect(created).toEqual({ code: 0, out: expect.stringContaining(`cd ${directory} && npm install && npm test`) })
    const there = join(folder, directory)
    const { scripts } = JSON.parse(textOf(join(directory, 'package.json'))) as { scripts: Record<string, string> }
    expect(scripts['test']).toBe(`tsc && node --test dist/${name}.test.js`)
    expect(node(there, tsc)).toEqual({ code: 0, out: '' })
    const { code, out } = node(there, '--test', '--test-reporter=tap', `dist/${name}.test.js`)
    expect([code, out]).toEqual([0, expect.stringMatching(/^# pass 1\d\n# fail 0$/m)])
  })

  it('writes a plugin that is found by name once it is installed', () => {
    expect(create('scheduler', 'steps').code).toBe(0)
    const there = join(folder, 'attune-plugin-scheduler-steps')
    expect(node(there, tsc).code).toBe(0)
    symlinkSync(there, join(installed, 'attune-plugin-scheduler-steps'))
    const { code, out } = node(folder, main, 'plugins', 'info', 'scheduler', 'steps')
    expect([code, out]).toEqual([0, expect.stringContaining('scheduler steps, attune-plugin-scheduler-steps 0.1.0')])
  })

  it('does not write into a folder with files, and keeps them', () => {
    mkdirSync(join(folder, 'taken'))
    writeFileSync(join(folder, 'taken/notes.txt'), 'mine')
    const { code, out } = create('metric', 'kappa', '--directory', 'taken')
    expect([code, out]).toEqual([2, expect.stringContaining('FILE_EXISTS: taken exists, and is not overwritten')])
    expect(readdirSync(join(folder, 'taken'))).toEqual(['notes.txt'])
  })

  it.each([
    [['metrics', 'kappa'], 'UNKNOWN_KIND', 'expected a kind of plugin, got "metrics"', 'Did you mean metric?'],
    [['gadget', 'kappa'], 'UNKNOWN_KIND', 'expected a kind of plugin, got "gadget"', 'Use one of: adapter, '],
    [['metric', 'MyKappa'], 'BAD_USAGE', 'expected a name in kebab-case, got "MyKappa"', 'such as "my-metric"'],
    [['metric', '../kappa'], 'BAD_USAGE', 'expected a name in kebab-case, got "../kappa"', 'Choose another name'],
    [['metric', 'default'], 'BAD_USAGE', 'expected a name that is free as a variable', 'Choose another name'],
    [['optimizer', 'mul'], 'BAD_USAGE', 'expected a name that is free as a variable', 'Choose another name'],
  ])('rejects %j', async (args, code, problem, remedy) => {
    const directory = join(folder, 'rejected')
    const call = newPluginCommand().parseAsync([...args, '--directory', directory], { from: 'user' })
    await expect(call).rejects.toMatchObject({
      code,
      problem: expect.stringContaining(problem),
      remedy: expect.stringContaining(remedy),
    })
    expect(existsSync(directory)).toBe(false)
  })

  it('has complete texts and version ranges for every kind', () => {
    for (const kind of templateKinds()) {
      const files = Object.entries(pluginFiles(kind, 'my-own'))
      expect([kind, files.filter(([, text]) => /<%|SNIPPET|"\*"/.test(text)).map(([path]) => path)]).toEqual([kind, []])
    }
  })
})
