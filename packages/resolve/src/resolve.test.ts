import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { type AttuneError, definePlugin, fileName, isAttuneError, kind, userSpecifier } from '@attune/core'
import { installedPlugins } from './installed.js'
import { findInstalled, findPlugin, findReader, loadFrom } from './resolve.js'
import { admits, coreVersion } from './version.js'

const LAMP = kind<string>('lamp', 'one')
const root = mkdtempSync(join(tmpdir(), 'attune-resolve-'))
const write = (path: string, content: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

/** Source of a module whose default export is a plugin of a kind that returns its origin. */
const moduleText = (name: string, from: string, kindName = 'lamp'): string => `
const plugin = () => ${JSON.stringify(from)}
export default Object.defineProperty(
  Object.assign(plugin, { kind: { name: '${kindName}', arity: 'one', token: Symbol.for('attune/${kindName}') }, options: {}, summary: '' }),
  'name', { value: '${name}' })
`

/** Creates a package that declares a lamp in a `node_modules` folder. */
function install(
  at: string,
  packageName: string,
  name: string,
  extra: object = {},
  text = moduleText(name, `${at} ${packageName}`),
): void {
  const folder = join(at, 'node_modules', packageName)
  const manifest = { name: packageName, version: '1.2.3', type: 'module', exports: './index.js', description: 'A lamp' }
  write(join(folder, 'package.json'), JSON.stringify({ ...manifest, attune: { kind: 'lamp', name }, ...extra }))
  write(join(folder, 'index.js'), text)
}

const inRoot = (folders: readonly string[]): string[] => folders.map((folder) => join(root, folder))
const look = (name: string, folders: readonly string[], local: readonly string[] = []) =>
  findPlugin(LAMP, userSpecifier(name), { folders: inRoot(folders), local: inRoot(local) })
const find = async (name: string, ...folders: string[]): Promise<string> =>
  ((await look(name, folders)).plugin as () => string)()

const rejection = async (promise: Promise<unknown>): Promise<AttuneError> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isAttuneError(error)) throw error ?? new Error('nothing was thrown')
  return error
}

beforeAll(() => {
  install('outer', '@attune/lamp-desk', 'desk')
  install('outer', '@attune/lamp-floor', 'floor')
  install('outer', 'attune-plugin-mine', 'mine')
  install('outer', '@someone/attune-plugin-theirs', 'theirs')
  install('outer', 'unrelated', 'unrelated')
  install('outer', '@aaa/attune-plugin-desk', 'desk')
  install('damaged', 'attune-plugin-broken', 'broken', {}, "throw new Error('a bad day')")
  install('damaged', 'attune-plugin-unbuilt', 'unbuilt', { exports: './dist/index.js' })
  install('outer/inner', '@attune/lamp-desk', 'desk')
  install('outer/inner', 'attune-plugin-desk', 'desk')
  write('outer/inner/deep/local.mjs', moduleText('local', 'local file'))
  write('outer/inner/deep/shade.mjs', moduleText('shade', 'a shade', 'shade'))
  write('outer/inner/deep/number.mjs', 'export default 3\n')
})
afterAll(() => rmSync(root, { recursive: true }))

describe('findPlugin', () => {
  it('prefers a registered plugin', async () => {
    const desk = definePlugin({
      kind: LAMP,
      name: 'desk',
      summary: 'Mine',
      options: z.strictObject({}),
      create: () => 'mine',
    })
    const other = definePlugin({ ...desk, kind: kind<string>('shade', 'one'), create: () => 'a shade' })
    const search = { registered: [other, desk], folders: [join(root, 'outer')] }
    expect(await findPlugin(LAMP, userSpecifier('desk'), search)).toEqual({
      plugin: desk,
      origin: { specifier: 'desk' },
    })
  })

  it('then an installed one, @attune before other scopes and the nearest node_modules first', async () => {
    expect(await find('desk', 'outer')).toBe('outer @attune/lamp-desk')
    expect(await find('desk', 'outer/inner/deep')).toBe('outer/inner @attune/lamp-desk')
    expect(await find('floor', 'outer/inner/deep')).toBe('outer @attune/lamp-floor')
    expect(await find('desk', 'outer', 'outer/inner')).toBe('outer @attune/lamp-desk')
    expect(await find('mine', 'outer')).toBe('outer attune-plugin-mine')
    expect(await find('theirs', 'outer')).toBe('outer @someone/attune-plugin-theirs')
  })

  it('then a path relative to the folder, or a package', async () => {
    expect(await find('./local.mjs', 'outer/inner/deep')).toBe('local file')
    expect(await find('./deep/local.mjs', 'outer', 'outer/inner')).toBe('local file')
    expect(await find(join(root, 'outer/inner/deep/local.mjs'), 'outer')).toBe('local file')
    expect(await find('unrelated', 'outer')).toBe('outer unrelated')
  })

  it('reports similar names and the searched folders', async () => {
    const error = await rejection(find('dsek', 'outer', 'outer/inner'))
    expect(error.code).toBe('UNKNOWN_PLUGIN')
    expect(error.problem).toContain(`searched from ${join(root, 'outer')}, ${join(root, 'outer/inner')}`)
    expect(error.remedy).toBe('Did you mean desk?')
  })

  it('lists the installed plugins if no name is similar', async () => {
    expect((await rejection(find('chandelier', 'outer'))).remedy).toBe(
      'Installed: desk, floor, mine, theirs. If it is a package: npm install @attune/lamp-chandelier',
    )
    write('empty/file', '')
    expect((await rejection(find('desk', 'empty'))).remedy).toContain('Installed: no lamp at all.')
    const missing = findPlugin(kind('shade', 'one'), userSpecifier('./deep/missing.mjs'), {
      folders: [join(root, 'outer/inner')],
    })
    expect((await rejection(missing)).code).toBe('UNKNOWN_PLUGIN')
  })

  it('rejects a module without a plugin of the kind', async () => {
    for (const name of ['./number.mjs', './shade.mjs']) {
      const error = await rejection(find(name, 'outer/inner/deep'))
      expect([error.code, error.problem]).toEqual(['NOT_A_PLUGIN', expect.stringContaining(name)])
      expect(error.remedy).toContain('export default definePlugin')
    }
  })

  it('reports why a package cannot be loaded and how to fix it', async () => {
    const broken = await rejection(find('broken', 'damaged'))
    expect(broken).toMatchObject({ code: 'PLUGIN_BROKEN', problem: expect.stringContaining('a bad day') })
    expect(broken.remedy).toContain('npm install attune-plugin-broken@latest')
    expect((await rejection(find('unbuilt', 'damaged'))).code).toBe('PLUGIN_BROKEN')
  })

  it('rejects a package for another version of core, and names both versions', async () => {
    install('old', '@attune/lamp-old', 'old', { peerDependencies: { '@attune/core': '^9.1.0' } })
    install('old', '@attune/lamp-new', 'new', { peerDependencies: { '@attune/core': `^${coreVersion()}` } })
    const error = await rejection(find('old', 'old'))
    expect([error.code, error.problem]).toEqual(['CORE_MISMATCH', expect.stringContaining('^9.1.0')])
    expect(error.problem).toContain(coreVersion())
    expect(error.remedy).toContain('npm install @attune/lamp-old@latest @attune/core@latest')
    expect(await find('new', 'old')).toBe('old @attune/lamp-new')
  })
})

describe('findPlugin with local folders', () => {
  const sayOf = async (name: string, folders: readonly string[], local: readonly string[]): Promise<string> =>
    ((await look(name, folders, local)).plugin as () => string)()

  it('prefers the installation to a local folder with the same name', async () => {
    expect(await sayOf('desk', ['outer'], ['outer/inner'])).toBe('outer @attune/lamp-desk')
    expect(await sayOf('floor', ['empty'], ['outer'])).toBe('outer @attune/lamp-floor')
  })

  it('returns the specifier, and the file if it is outside the installation', async () => {
    const floor = { specifier: 'floor', package: '@attune/lamp-floor', version: '1.2.3' }
    expect((await look('floor', ['outer'])).origin).toEqual(floor)
    expect((await look('floor', ['empty'], ['outer'])).origin).toEqual({
      ...floor,
      path: join(root, 'outer/node_modules/@attune/lamp-floor/index.js'),
    })
    expect((await look('./local.mjs', ['outer'], ['outer/inner/deep'])).origin).toEqual({
      specifier: './local.mjs',
      path: join(root, 'outer/inner/deep/local.mjs'),
    })
  })
})

describe('findInstalled', () => {
  const ran = join(root, 'ran')
  const program = `require('node:fs').writeFileSync(${JSON.stringify(ran)}, 'it ran')`
  const installation = { folders: [join(root, 'outer')], local: [join(root, 'outer/inner/deep')] }

  it('finds an installed plugin by its exact name', async () => {
    const found = await findInstalled(LAMP, fileName('desk'), installation)
    expect((found.plugin as () => string)()).toBe('outer @attune/lamp-desk')
    expect(found.origin).toEqual({ specifier: 'desk', package: '@attune/lamp-desk', version: '1.2.3' })
  })

  it('findReader finds a plugin by a declared file type, else by its name', async () => {
    install('reading', '@attune/lamp-reader', 'reader', { attune: { kind: 'lamp', name: 'reader', reads: ['Bulb'] } })
    const reader = (type: string, folder: string) => findReader(LAMP, fileName(type), { folders: [join(root, folder)] })
    expect((await reader('Bulb', 'reading'))?.origin).toEqual({
      specifier: 'reader',
      package: '@attune/lamp-reader',
      version: '1.2.3',
    })
    for (const type of ['bulb', 'reader']) expect(await reader(type, 'reading')).toBeUndefined()
    expect((await reader('desk', 'outer'))?.origin.package).toBe('@attune/lamp-desk')
  })

  it('executes no code of a path, a package or a local folder', async () => {
    write('outer/inner/deep/evil.cjs', program)
    install('outer/inner/deep', 'attune-plugin-evil', 'evil', { type: 'commonjs' }, program)
    install('outer', 'plain-evil', 'plain', { type: 'commonjs', attune: undefined }, program)
    const names = [
      './evil.cjs',
      join(root, 'outer/inner/deep/evil.cjs'),
      pathToFileURL(join(root, 'outer/inner/deep/evil.cjs')).href,
      '../inner/deep/evil.cjs',
      'evil',
      'attune-plugin-evil',
      'plain-evil',
      '@attune/lamp-desk',
      'node:fs',
      'DESK',
      ' desk',
      'desk\0',
      '__proto__',
      '',
      'data:text/javascript,globalThis.ran=1',
    ]
    for (const name of names) {
      const { code } = await rejection(findInstalled(LAMP, fileName(name), installation))
      expect([name, code]).toEqual([name, 'UNKNOWN_PLUGIN'])
      expect(await findReader(LAMP, fileName(name), installation)).toBeUndefined()
    }
    expect(existsSync(ran)).toBe(false)
    // The same names do load code if the user writes them.
    await rejection(findPlugin(LAMP, userSpecifier('./evil.cjs'), installation))
    expect(readFileSync(ran, 'utf8')).toBe('it ran')
  })
})

describe('loadFrom', () => {
  it('imports the plugin of a file, and rejects a file that exports another kind', async () => {
    const path = join(root, 'outer/inner/deep/local.mjs')
    const { plugin, origin } = await loadFrom(LAMP, path, './local.mjs')
    expect([(plugin as () => string)(), origin]).toEqual(['local file', { specifier: './local.mjs', path }])
    const shade = loadFrom(LAMP, join(root, 'outer/inner/deep/shade.mjs'), './shade.mjs')
    expect((await rejection(shade)).code).toBe('NOT_A_PLUGIN')
  })
})

describe('installedPlugins', () => {
  it('lists declared plugins, each kind and name once, and ignores other packages', () => {
    write('odd/node_modules/attune-plugin-broken/package.json', '{ not json')
    write('odd/node_modules/attune-plugin-plain/package.json', '{ "name": "attune-plugin-plain" }')
    write('odd/node_modules/attune-plugin-half/package.json', '{ "name": "x", "attune": { "kind": "lamp" } }')
    mkdirSync(join(root, 'odd/node_modules/attune-plugin-empty'))
    expect(installedPlugins([join(root, 'odd')])).toEqual([])
    const found = installedPlugins([join(root, 'outer/inner'), join(root, 'outer')])
    expect(found.map(({ name }) => name)).toEqual(['desk', 'floor', 'mine', 'theirs'])
    expect(found[0]).toEqual({
      kind: 'lamp',
      name: 'desk',
      package: '@attune/lamp-desk',
      version: '1.2.3',
      description: 'A lamp',
      reads: ['desk'],
      directory: join(root, 'outer/inner/node_modules/@attune/lamp-desk'),
    })
  })
})

describe('admits', () => {
  // Expected results from npm's semver package.
  it.each([
    ['^0.1.0', '0.1.0', true],
    ['^0.1.0', '0.1.9', true],
    ['^0.1.2', '0.1.1', false],
    ['^0.1.0', '0.2.0', false],
    ['^0.0.3', '0.0.3', true],
    ['^0.0.3', '0.0.4', false],
    ['^1.2.3', '1.2.3', true],
    ['^1.2.3', '1.3.0', true],
    ['^1.2.3', '1.2.2', false],
    ['^1.2.3', '2.0.0', false],
    ['^1.2.3', '1.10.0', true],
    ['0.1.0', '0.1.0', true],
    ['0.1.0', '0.1.1', false],
    ['*', '7.0.0', true],
    ['', '7.0.0', true],
    ['^0.1', '0.1.5', true],
    ['^0.1', '0.2.0', false],
    ['^0', '0.9.0', true],
    ['^1', '2.0.0', false],
    ['~1.2.3', '1.2.9', true],
    ['~1.2.3', '1.3.0', false],
    ['~0.1.0', '0.1.4', true],
    ['1.x', '1.9.9', true],
    ['1', '2.0.0', false],
    ['1.2', '1.2.7', true],
    ['>=0.1.0', '3.0.0', true],
    ['>=0.1.0 <0.3.0', '0.3.0', false],
    ['>= 0.1.0 < 0.3.0', '0.2.9', true],
    ['>1.2.3', '1.2.3', false],
    ['>1.2.3', '1.2.4', true],
    ['<=1.2.3', '1.2.3', true],
    ['<=1.2.3', '1.2.4', false],
    ['^1.0.0 || ^2.0.0', '2.5.0', true],
    ['^1.0.0 || ^2.0.0', '3.0.0', false],
    ['nonsense', '1.0.0', false],
    // A pre-release counts as its release.
    ['^0.2.0', '0.2.0-beta.1', true],
    ['^0.2.0-beta.1', '0.2.0-alpha.1', true],
    ['^0.1.0', '0.2.0-beta.1', false],
  ])('range %p, version %p: %p', (range, version, expected) => {
    expect(admits(range, version)).toBe(expected)
  })
})

it('coreVersion returns a version', () => {
  expect(coreVersion()).toMatch(/^\d+\.\d+\.\d+/)
})
