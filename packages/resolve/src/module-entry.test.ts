import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { fileName, kind, userSpecifier } from '@attune/core'
import { packageAt } from './module-entry.js'
import { findInstalled, findPlugin, identify, loadFrom } from './resolve.js'
import { coreVersion } from './version.js'

const LAMP = kind<string>('lamp', 'one')
const root = realpathSync(mkdtempSync(join(tmpdir(), 'attune-entry-')))
afterAll(() => rmSync(root, { recursive: true }))

/** Source of a module whose default export is a lamp that returns the name of its copy. */
const lamp = (name: string, from: string): string => `
const plugin = () => ${JSON.stringify(from)}
export default Object.defineProperty(
  Object.assign(plugin, { kind: { name: 'lamp', arity: 'one', token: Symbol.for('attune/lamp') }, options: {}, summary: '' }),
  'name', { value: '${name}' })
`
const write = (path: string, content: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

/** Creates a package in a folder: a plugin named `desk` that returns its folder. */
function put(folder: string, name: string, version: string, manifest: object = {}): void {
  const declared = { name, version, type: 'module', main: './index.js', attune: { kind: 'lamp', name: 'desk' } }
  write(join(folder, 'package.json'), JSON.stringify({ ...declared, ...manifest }))
  write(join(folder, 'index.js'), lamp('desk', folder))
}

const searchIn = (folder: string, local: readonly string[] = []) => ({
  folders: [join(root, folder)],
  local: local.map((each) => join(root, each)),
})
const find = async (name: string, folder: string, local: readonly string[] = []) => {
  const { plugin, origin } = await findPlugin(LAMP, userSpecifier(name), searchIn(folder, local))
  return { says: (plugin as () => string)(), origin }
}

beforeAll(() => {
  // Installed under its own name and as aliases: an older copy that could be confused with it, and copies under free names.
  put('aliased/node_modules/@acme/attune-plugin-desk', '@acme/attune-plugin-desk', '2.0.0')
  put('aliased/node_modules/@acme/attune-plugin-a', '@acme/attune-plugin-desk', '1.2.0')
  put('aliased/node_modules/my-desk', '@acme/attune-plugin-desk', '1.1.0', { attune: undefined })
  put('aliased/node_modules/@mine/desk', '@acme/attune-plugin-desk', '1.0.0', { exports: './index.js' })
  put('only/node_modules/attune-plugin-desk', '@acme/desk', '1.2.0')
  put('only/node_modules/@acme/desk', '@acme/desk', '3.0.0', { attune: undefined })
  put('outer/node_modules/attune-plugin-desk', 'attune-plugin-desk', '1.0.0')
  put('outer/inner/node_modules/attune-plugin-desk', 'attune-plugin-desk', '2.0.0', { main: './dist/unbuilt.js' })
  rmSync(join(root, 'outer/inner/node_modules/attune-plugin-desk/index.js'))
})

describe('findPlugin on a package alias', () => {
  it('records the alias, the real package, its version and its file', async () => {
    for (const [alias, version] of [
      ['my-desk', '1.1.0'],
      ['@mine/desk', '1.0.0'],
    ] as const) {
      const { says, origin } = await find(alias, 'aliased')
      const folder = `aliased/node_modules/${alias}`
      expect(says).toBe(folder)
      expect(origin).toEqual({
        specifier: alias,
        package: '@acme/attune-plugin-desk',
        version,
        path: join(root, folder, 'index.js'),
      })
    }
  })

  it('imports the alias itself, not another copy of its package', async () => {
    const found = await find('desk', 'only')
    expect(found.says).toBe('only/node_modules/attune-plugin-desk')
    expect(found.origin).toMatchObject({ package: '@acme/desk', version: '1.2.0' })
  })

  it('prefers the package under its own name', async () => {
    const { says, origin } = await find('desk', 'aliased')
    expect([says, origin.version]).toEqual(['aliased/node_modules/@acme/attune-plugin-desk', '2.0.0'])
  })

  it('rejects a package for another version of core', async () => {
    put('old/node_modules/my-desk', '@acme/desk', '1.0.0', { peerDependencies: { '@attune/core': '^9.1.0' } })
    await expect(find('my-desk', 'old')).rejects.toMatchObject({
      code: 'CORE_MISMATCH',
      problem: expect.stringContaining(coreVersion()),
    })
  })
})

describe('findPlugin on a package without an entry', () => {
  it('rejects it instead of importing a copy of a parent folder', async () => {
    await expect(find('desk', 'outer/inner')).rejects.toMatchObject({ code: 'PLUGIN_BROKEN' })
  })
})

describe('findPlugin on a symbolic link, as installed by pnpm', () => {
  const store = 'linked/node_modules/.pnpm/@acme+desk@1.2.0/node_modules/@acme/desk'
  beforeAll(() => {
    put(store, '@acme/desk', '1.2.0')
    mkdirSync(join(root, 'linked/node_modules/@acme'))
    for (const name of ['my-desk', '@acme/attune-plugin-desk'])
      symlinkSync(join(root, store), join(root, 'linked/node_modules', name), 'dir')
  })

  it('records the path of the link, which survives updates', async () => {
    const expected = { package: '@acme/desk', version: '1.2.0' }
    expect((await find('my-desk', 'linked')).origin).toEqual({
      ...expected,
      specifier: 'my-desk',
      path: join(root, 'linked/node_modules/my-desk/index.js'),
    })
    expect((await find('desk', 'empty', ['linked'])).origin).toEqual({
      ...expected,
      specifier: 'desk',
      path: join(root, 'linked/node_modules/@acme/attune-plugin-desk/index.js'),
    })
    expect((await find('desk', 'linked')).origin).toEqual({ ...expected, specifier: 'desk' })
  })
})

describe('packageAt', () => {
  it('returns the nearest package.json with a name, within the package folder', () => {
    put('project', 'project', '0.3.0')
    write('project/dist/package.json', '{ "type": "module" }')
    write('project/node_modules/nameless/package.json', '{ "type": "module" }')
    write('project/node_modules/versionless/package.json', '{ "name": "versionless" }')
    const at = (path: string) => packageAt(join(root, path))
    expect(at('project/dist/deep/x.js')).toMatchObject({ package: 'project', version: '0.3.0' })
    expect(at('project/node_modules/nameless/x.js')).toBeUndefined()
    expect(at('project/node_modules/@scope/none/x.js')).toBeUndefined()
    expect(at('project/node_modules/versionless/x.js')).toEqual({
      package: 'versionless',
      directory: join(root, 'project/node_modules/versionless'),
    })
    expect(at('nothing/x.js')).toBeUndefined()
  })
})

describe('loadFrom', () => {
  it('reads the current package and version', async () => {
    put('updated', 'updated', '1.0.0')
    const path = join(root, 'updated/index.js')
    const version = async () => (await loadFrom(LAMP, path, './updated')).origin
    expect(await version()).toEqual({ specifier: './updated', package: 'updated', version: '1.0.0', path })
    put('updated', 'updated', '1.0.1')
    expect(await version()).toMatchObject({ version: '1.0.1' })
  })
})

describe('findInstalled with a recorded package', () => {
  const recorded = async (from?: string, version?: string) => {
    const known = { ...(from === undefined ? {} : { package: from }), ...(version === undefined ? {} : { version }) }
    const { plugin } = await findInstalled(LAMP, fileName('desk'), searchIn('copies/inner'), known)
    return (plugin as () => string)()
  }

  it('returns the recorded copy, else the recorded package, else the first one', async () => {
    put('copies/inner/node_modules/attune-plugin-b', 'attune-plugin-b', '1.0.0')
    put('copies/inner/node_modules/attune-plugin-c', 'attune-plugin-c', '1.0.0')
    put('copies/node_modules/attune-plugin-c', 'attune-plugin-c', '0.9.0')
    expect(await recorded('attune-plugin-c', '0.9.0')).toBe('copies/node_modules/attune-plugin-c')
    expect(await recorded('attune-plugin-c', '0.8.0')).toBe('copies/inner/node_modules/attune-plugin-c')
    expect(await recorded('attune-plugin-z', '1.0.0')).toBe('copies/inner/node_modules/attune-plugin-b')
    expect(await recorded()).toBe('copies/inner/node_modules/attune-plugin-b')
  })
})

describe('identify', () => {
  it('returns the installed package of a plugin, and no package for one defined in a program', async () => {
    const { plugin } = await findPlugin(LAMP, userSpecifier('desk'), searchIn('only'))
    const value = { plugin, origin: { specifier: 'desk' } }
    const known = { specifier: 'desk', package: '@acme/desk', version: '1.2.0' }
    expect((await identify(value, searchIn('only'))).origin).toEqual(known)
    for (const folder of ['aliased', 'empty', 'outer/inner'])
      expect((await identify(value, searchIn(folder))).origin).toEqual({ specifier: 'desk' })
  })
})
