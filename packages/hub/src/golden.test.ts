import { lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { lastValueFrom } from 'rxjs'
import { download } from './download.js'
import { startHub } from './hub-server.test.fixture.js'
import { addRepository } from './hub-state.test.fixture.js'

/** Cache of the Python library after a download: tools/golden/hub_cache.py. */
const golden = JSON.parse(readFileSync(new URL('../golden/python-cache.json', import.meta.url), 'utf8')) as {
  readonly source: string
  readonly files: Readonly<Record<string, string>>
  readonly cache: Readonly<Record<string, { readonly link?: string; readonly text?: string }>>
}

/** Listing of a cache folder in the same form. */
function listing(root: string, commit: string): Record<string, { link?: string; text?: string }> {
  const named = (text: string): string => text.replaceAll(commit, 'COMMIT')
  const paths = readdirSync(root, { recursive: true })
    .map(String)
    .filter((path) => path.startsWith('models--'))
  const found: Record<string, { link?: string; text?: string }> = {}
  for (const path of paths) {
    const full = join(root, path)
    if (lstatSync(full).isSymbolicLink()) found[named(path)] = { link: readlinkSync(full) }
    else if (lstatSync(full).isFile()) found[named(path)] = { text: named(readFileSync(full, 'utf8')) }
  }
  return found
}

describe(`the cache after a download`, () => {
  it(`matches ${golden.source} in all files and links`, async () => {
    const hub = await startHub()
    const cache = mkdtempSync(join(tmpdir(), 'attune-hub-'))
    try {
      const files = Object.entries(golden.files).map(([path, text]) => [path, Buffer.from(text)])
      const commit = addRepository(hub, 'org/toy', Object.fromEntries(files) as Record<string, Buffer>)
      await lastValueFrom(download('org/toy', { endpoint: hub.endpoint, cache, environment: {} }))
      expect(listing(cache, commit)).toEqual(golden.cache)
    } finally {
      rmSync(cache, { recursive: true })
      await hub.close()
    }
  })
})
