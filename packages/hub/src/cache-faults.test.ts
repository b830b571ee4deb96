import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { CONFIG, FILES, NEEDED, WEIGHTS, completed, failing, prepareBench } from './download.test.fixture.js'
import { addCommit, addRepository, gitId, sha256 } from './hub-state.test.fixture.js'

const bench = prepareBench()
const { run, folder } = bench
let outside: string
beforeEach(() => void (outside = mkdtempSync(join(tmpdir(), 'attune-outside-'))))
afterEach(() => rmSync(outside, { recursive: true }))

/** Replaces an entry of the cache. */
function put(path: string, make: (path: string) => void): void {
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { recursive: true, force: true })
  make(path)
}
const pipe = (path: string): void => void execFileSync('mkfifo', [path])
const withText =
  (text: string) =>
  (path: string): void =>
    writeFileSync(path, text)
const tree = (files: object): string => JSON.stringify({ format_version: 1, files })
const isWhole = (): void => {
  expect(readdirSync(folder('snapshots', bench.commit)).sort()).toEqual(NEEDED)
  expect(readFileSync(folder('snapshots', bench.commit, 'model.safetensors')).equals(WEIGHTS)).toBe(true)
}

describe('a download into an untrusted cache', () => {
  it('replaces named pipes without waiting for their writers', async () => {
    put(folder('refs', 'main'), pipe)
    put(folder('trees', `${bench.commit}.json`), pipe)
    put(folder('blobs', sha256(WEIGHTS)), pipe)
    put(folder('blobs', `${sha256(WEIGHTS)}.attune.incomplete`), pipe)
    put(folder('snapshots', bench.commit, 'config.json'), pipe)
    expect((await failing(run('org/toy', { offline: true }))).code).toBe('HUB_OFFLINE')
    await run()
    isWhole()
    expect(lstatSync(folder('refs', 'main')).isFile()).toBe(true)
  })

  it.each([
    ['nested deeply', '['.repeat(1e5)],
    ['of many bad entries', tree(Object.fromEntries(Array.from({ length: 2e4 }, (_, i) => [`${i}`, {}])))],
    ['of too many values', `{"format_version":1,"files":{"a":[${'{},'.repeat(6e5)}{}]}}`],
    ['one with a path outside of the repository', tree({ '../../x': { size: 1, blob_id: '0'.repeat(40) } })],
    ['one with a fractional size', tree({ 'config.json': { size: 0.5, blob_id: '0'.repeat(40) } })],
    ['one without files', '{"format_version":1}'],
  ])('requests the list of files again if the cached one is %s', async (_, text) => {
    put(folder('trees', `${bench.commit}.json`), withText(text))
    await run()
    isWhole()
    expect(bench.hub.seen.filter(({ path }) => path.includes('/tree/'))).toHaveLength(1)
  })

  it('does not follow links out of the cache', async () => {
    await run()
    for (const path of [
      ['refs', 'main'],
      ['trees', `${bench.commit}.json`],
    ]) {
      const copy = join(outside, path[0]!)
      writeFileSync(copy, readFileSync(folder(...path)))
      put(folder(...path), (at) => symlinkSync(copy, at))
    }
    const offline = await failing(run('org/toy', { offline: true }))
    expect(offline.problem).toContain(
      'refs/main, which names the commit of the revision, is missing; the cache has 1 snapshot',
    )
    expect(offline.remedy).toBe(`Name the commit: org/toy@${bench.commit}`)
    bench.hub.seen.length = 0
    await run()
    expect(bench.hub.seen.map(({ path }) => path.split('?')[0])).toEqual([
      '/api/models/org/toy/revision/main',
      `/api/models/org/toy/tree/${bench.commit}`,
    ])
    expect(lstatSync(folder('refs', 'main')).isFile()).toBe(true)
  })

  it.each([[['blobs']], [['snapshots']], [['refs']], [['trees']], [[]]])(
    'rejects a download if the folder %j is a link out of the cache',
    async (path) => {
      put(folder(...path), (at) => symlinkSync(outside, at))
      writeFileSync(join(outside, 'README.md'), 'mine')
      mkdirSync(join(outside, bench.commit))
      writeFileSync(join(outside, bench.commit, 'README.md'), 'mine')
      expect(await failing(run())).toMatchObject({
        code: 'CANNOT_WRITE',
        problem: expect.stringMatching(/link out of/),
      })
      expect(readdirSync(outside, { recursive: true }).sort()).toEqual(
        ['README.md', bench.commit, join(bench.commit, 'README.md')].sort(),
      )
      expect(readFileSync(join(outside, bench.commit, 'README.md'), 'utf8')).toBe('mine')
    },
  )

  it('rejects a malformed or too large index of shards offline', async () => {
    const snapshot = folder('snapshots', bench.commit)
    put(folder('refs', 'main'), withText(bench.commit))
    put(join(snapshot, 'config.json'), withText('{}'))
    const index = (shards: readonly unknown[]): string =>
      JSON.stringify({ weight_map: Object.fromEntries(shards.map((shard, i) => [`${i}`, shard])) })
    const look = async (text: string): Promise<string> => {
      put(join(snapshot, 'model.safetensors.index.json'), withText(text))
      return (await failing(run('org/toy', { offline: true }))).problem
    }
    const unreadable = ['../../../x', 'a\0b', 1, null, {}].map((shard) => index(['one', shard]))
    const many = index(Array.from({ length: 20_001 }, (_, i) => `${i}.safetensors`))
    for (const text of [...unreadable.slice(0, 2), many, '{"weight_map":3}', '[', `{"weight_map":${'['.repeat(1e5)}`])
      expect(await look(text)).toContain('a valid index')
    for (const text of unreadable.slice(2)) expect(await look(text)).toContain('is missing')
    put(join(snapshot, 'one'), withText('x'))
    put(join(snapshot, 'model.safetensors.index.json'), withText(index(['one'])))
    expect(completed(await run('org/toy', { offline: true })).folder).toBe(snapshot)
  })
})

describe('names of files, branches and cache folders:', () => {
  it('rejects a name that is invalid on some file systems only if the file is needed', async () => {
    const path = `${'x'.repeat(256)}.json`
    addRepository(bench.hub, 'org/toy', { ...FILES, [path]: CONFIG, 'aux.json': CONFIG })
    bench.commit = bench.hub.repositories.get('org/toy')!.refs.get('main')!
    await run()
    isWhole()
    for (const file of [path, 'aux.json'])
      expect((await failing(run('org/toy', { files: [file] }))).code).toBe('BAD_REPOSITORY_PATH')
  })

  it.each([
    ['model.safetensors', 'Model.safetensors'],
    ['ü.json', 'u\u0308.json'],
  ])('rejects two names that are equal on some file systems: %s', async (...files) => {
    addRepository(bench.hub, 'org/toy', { ...FILES, [files[0]!]: CONFIG, [files[1]!]: WEIGHTS })
    expect((await failing(run('org/toy', { files }))).code).toBe('BAD_REPOSITORY_PATH')
    expect(existsSync(folder('blobs'))).toBe(false)
  })

  it('rejects a path with a lone surrogate', async () => {
    const entry = `{"type":"file","path":"\\ud800.json","size":1,"oid":"${gitId(CONFIG)}"}`
    bench.hub.fault = ({ path }) => (path.includes('/tree/') ? { status: 200, body: `[${entry}]` } : undefined)
    expect((await failing(run())).code).toBe('BAD_REPOSITORY_PATH')
  })

  it('accepts a branch name of 255 bytes, and rejects a longer one', async () => {
    const branch = `${'é'.repeat(120)}-branch`
    addCommit(bench.hub.repositories.get('org/toy')!, FILES, branch)
    await run(`org/toy@${branch}`)
    expect(readdirSync(folder('refs'))).toEqual([branch])
    expect((await failing(run(`org/toy@${'é'.repeat(128)}`))).code).toBe('BAD_MODEL_NAME')
  })

  it('rejects a cache folder whose path is too long for its files', async () => {
    const long = `${bench.cache}${`/${'x'.repeat(200)}`.repeat(30)}`
    for (const length of [4000, 4060, 4090, 5000]) {
      const cache = `${long.slice(0, length)}y`
      expect(await failing(run('org/toy', { cache }))).toMatchObject({
        code: 'CANNOT_WRITE',
        problem: expect.stringContaining('ENAMETOOLONG'),
      })
    }
  })
})

describe('a file or folder that blocks a path of the cache', () => {
  it.each<[string, () => void]>([
    ['a file instead of a folder', () => put(folder('blobs'), withText('x'))],
    [
      'a folder instead of a file',
      () => mkdirSync(folder('snapshots', bench.commit, 'config.json', 'x'), { recursive: true }),
    ],
    ['a folder instead of a blob', () => mkdirSync(folder('blobs', gitId(CONFIG), 'x'), { recursive: true })],
    ['a file instead of the cache', () => put(join(bench.cache, 'models--org--toy'), withText('x'))],
    ['a folder instead of a ref', () => mkdirSync(folder('refs', 'main', 'x'), { recursive: true })],
    ['a file instead of the lock folder', () => put(join(bench.cache, '.locks'), withText('x'))],
  ])('throws CANNOT_WRITE and names the path: %s', async (_, block) => {
    block()
    expect(await failing(run())).toMatchObject({
      code: 'CANNOT_WRITE',
      problem: expect.stringMatching(/(EISDIR|ENOTDIR|EEXIST|ENOTEMPTY)\), at .*(models--org--toy|locks)/),
    })
  })
})
