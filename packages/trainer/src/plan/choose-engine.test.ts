import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from '@jest/globals'
import { chooseEngine } from './choose-engine.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-engines-'))
afterAll(() => rmSync(temporary, { recursive: true }))
const core = pathToFileURL(join(import.meta.dirname, '../../../core/dist/index.js')).href

interface Installed {
  readonly name: string
  readonly preference?: number
  readonly start?: string
}

/** Creates a project with the given engines installed; `start` is the code of an engine's start method. */
function project(...engines: readonly Installed[]): { readonly folders: string[] } {
  const folder = mkdtempSync(join(temporary, 'project-'))
  for (const { name, preference, start = '' } of engines) {
    const path = join(folder, 'node_modules/@attune', `engine-${name}`)
    mkdirSync(path, { recursive: true })
    const attune = { kind: 'engine', name, preference }
    const manifest = { name: `@attune/engine-${name}`, version: '0.1.0', type: 'module', exports: './index.js', attune }
    writeFileSync(join(path, 'package.json'), JSON.stringify(manifest))
    const text = `
      import { AttuneError, ENGINE, definePlugin } from '${core}'
      const create = () => ({ async start() { ${start} }, async close() {} })
      const options = { safeParse: () => ({ success: true, data: {} }) }
      export default definePlugin({ kind: ENGINE, name: '${name}', summary: 'An engine', options, create })`
    writeFileSync(join(path, 'index.js'), text)
  }
  return { folders: [folder] }
}

const refuses = (why: string): string => `throw new AttuneError('ENGINE_UNAVAILABLE', '${why}', 'Do something.')`

describe('chooseEngine', () => {
  it('returns the engine with the highest preference, without measuring', async () => {
    const searchPaths = project({ name: 'slow', preference: 1 }, { name: 'fast', preference: 2 }, { name: 'unstated' })
    const { engine, because } = await chooseEngine(searchPaths)
    expect(engine.origin).toEqual({ specifier: 'fast', package: '@attune/engine-fast', version: '0.1.0' })
    expect(because).toBe('first installed engine that starts here, by preference')
  })

  it('returns the next engine if one fails to start, with the reason', async () => {
    const searchPaths = project(
      { name: 'slow', preference: 1 },
      { name: 'fast', preference: 3, start: refuses('engine fast: there is no GPU') },
      { name: 'broken', preference: 2, start: "throw new Error('a bad day')" },
    )
    const { engine, because } = await chooseEngine(searchPaths)
    expect(engine.plugin.name).toBe('slow')
    expect(because).toContain('engine fast: there is no GPU; Error: a bad day')
  })

  it('throws with the reasons if no engine starts', async () => {
    await expect(
      chooseEngine(project({ name: 'fast', preference: 3, start: refuses('no GPU') })),
    ).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem: 'no installed engine starts here: no GPU',
    })
    await expect(chooseEngine(project({ name: 'unstated' }))).rejects.toMatchObject({
      problem: 'no engine is installed',
    })
  })
})
