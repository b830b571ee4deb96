import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { METRIC, fileName, userSpecifier } from '@attune/core'
import { findInstalled, findPlugin } from './resolve.js'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'attune-layouts-')))
afterAll(() => rmSync(root, { recursive: true }))

const MODULE = `export default Object.assign(() => ({}), { kind: { name: 'metric' }, options: {}, summary: 'A test' })`

/** Makes an empty package, or a metric plugin, in a folder. */
function put(folder: string, name: string, plugin?: string): string {
  const directory = join(root, folder, name)
  const attune = plugin === undefined ? {} : { attune: { kind: 'metric', name: plugin } }
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'index.js'), MODULE)
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name, type: 'module', main: 'index.js', ...attune }))
  return directory
}

/** A project that depends on a starter alone, as package managers lay it out: folders of the command and of a plugin. */
const LAYOUTS = {
  'hoisted, as npm does': ['node_modules', 'node_modules'],
  'nested under the starter': [
    'node_modules/@attune/starter/node_modules',
    'node_modules/@attune/starter/node_modules',
  ],
  'linked, as pnpm does': ['node_modules/.pnpm/@attune+cli@0.1.0/node_modules', 'node_modules/.pnpm/node_modules'],
} as const

describe('plugins that a starter package depends on', () => {
  it.each(Object.entries(LAYOUTS))('are found for users and for files when %s', async (layout, [command, plugin]) => {
    const project = layout.replaceAll(/\W+/g, '-')
    const folders = [join(put(join(project, command), '@attune/cli'), 'dist')]
    put(join(project, plugin), '@attune/metric-exact', 'exact')
    const expected = { origin: { specifier: 'exact', package: '@attune/metric-exact' } }
    expect(await findPlugin(METRIC, userSpecifier('exact'), { folders })).toMatchObject(expected)
    expect(await findInstalled(METRIC, fileName('exact'), { folders })).toMatchObject(expected)
  })

  it('are found in the working folder for users, and not for files, by a command that is installed elsewhere', async () => {
    const searched = { folders: [put('global/lib/node_modules', '@attune/cli')], local: [join(root, 'work')] }
    const directory = put('work/node_modules', '@attune/metric-exact', 'exact')
    const { origin } = await findPlugin(METRIC, userSpecifier('exact'), searched)
    expect(origin.path).toBe(join(directory, 'index.js'))
    await expect(findInstalled(METRIC, fileName('exact'), searched)).rejects.toMatchObject({ code: 'UNKNOWN_PLUGIN' })
  })
})
