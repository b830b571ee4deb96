import { mkdtempSync, existsSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type AnyPlugin, type AttuneError, type Example, type Rejected, type Source, isAttuneError } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { checkPromise } from './exceptions.js'
import { afterAll, beforeAll, describe, expect, it } from './runner.js'

/** A row that any format can hold; `undefined` stands for an unreadable row. */
export type SampleRow = { readonly text: string; readonly label: string } | undefined

/** Creates datasets for the source under test. */
export interface SourceFixture {
  /** Writes rows in the source's format to a new dataset in `folder`; returns the options that read it. */
  write(
    rows: readonly SampleRow[],
    folder: string,
  ): Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>
  /** Options that name a missing dataset. */
  readonly missing: Readonly<Record<string, unknown>>
}

/** Rows read before the end or the error. */
interface Reading {
  readonly rows: readonly Example[]
  readonly rejected: readonly Rejected[]
  readonly error?: AttuneError
}

const PROC = '/proc/self/fd'

const ordinary: readonly SampleRow[] = [
  { text: 'one', label: 'a' },
  { text: 'two', label: 'b' },
  { text: 'three', label: 'a' },
]

const unusual: readonly SampleRow[] = [
  { text: 'Ünïcödé, naïve; 日本語のテキスト', label: 'accents' },
  { text: '👩🏽‍🚀 flies, 🇪🇺 waves', label: 'astral' },
  { text: 'e\u0301 is not é', label: 'combining' },
  { text: 'שלום עולם مرحبا', label: 'right to left' },
  { text: 'she said "no", twice: ""', label: 'quotes' },
  { text: 'first\nsecond\n\nfourth', label: 'lines' },
  { text: 'a\ttab, a \\ and a \u2028 separator', label: 'separators' },
  { text: '  spaces around  ', label: 'spaces' },
  { text: '', label: 'empty' },
  { text: '0012', label: 'true' },
  { text: 'null', label: '[1, {"a": 2}]' },
]

async function read(source: Source, fields: readonly string[] = []): Promise<Reading> {
  const rows: Example[] = []
  const rejected: Rejected[] = []
  try {
    for await (const row of source.open((bad) => rejected.push(bad), fields)) rows.push(row)
  } catch (error) {
    if (!isAttuneError(error)) throw error
    return { rows, rejected, error }
  }
  return { rows, rejected }
}

const plain = (rows: readonly Example[]): unknown[] => rows.map((row) => ({ ...row }))

/** Number of open file descriptors of this process within a folder, after pending closes. */
async function openIn(folder: string): Promise<number> {
  const now = (): number =>
    readdirSync(PROC).filter((entry) => {
      try {
        return readlinkSync(join(PROC, entry)).startsWith(folder)
      } catch {
        return false
      }
    }).length
  for (let tries = 0; tries < 20 && now() > 0; tries++) await wait(50)
  return now()
}

/** Memory in use after garbage collection, in bytes. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Reads all rows; returns their number and the largest increase of memory in use. */
async function readAndMeasure(source: Source, every: number): Promise<{ rows: number; bytes: number }> {
  const before = bytesInUse()
  const reading = source.open()[Symbol.asyncIterator]()
  let rows = 0
  let bytes = 0
  while ((await reading.next()).done !== true) if (++rows % every === 0) bytes = Math.max(bytes, bytesInUse() - before)
  return { rows, bytes }
}

/**
 * Contract of a source. A source that cannot have bad rows states `exceptions: { badRows: reason }` in its manifest; any other must
 * have the option `onBadRow: 'stop' | 'skip'`, with default `stop`.
 */
export function describeSource(plugin: AnyPlugin, fixture: SourceFixture): void {
  describe(`source ${plugin.name}`, () => {
    let folder = ''
    let made = 0
    beforeAll(() => void (folder = realpathSync(mkdtempSync(join(tmpdir(), 'attune-source-')))))
    afterAll(() => rmSync(folder, { recursive: true }))
    const make = async (rows: readonly SampleRow[], more: Readonly<Record<string, unknown>> = {}): Promise<Source> => {
      const own = mkdtempSync(join(folder, `${++made}-`))
      return plugin({ ...(await fixture.write(rows, own)), ...more }) as Source
    }
    describeOptions(plugin, fixture.missing)
    describeReading(make)
    describeBadRows(plugin, make)
    describeResources(make, () => folder)

    it('rejects a missing dataset with a code and a remedy', async () => {
      const { rows, error } = await read(plugin(fixture.missing) as Source)
      expect(rows).toEqual([])
      expect(error?.code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
      expect(error?.remedy).toMatch(/\w/)
    })
  })
}

type Make = (rows: readonly SampleRow[], more?: Readonly<Record<string, unknown>>) => Promise<Source>

function describeReading(make: Make): void {
  it('yields the same rows in the same order each time it is opened', async () => {
    const source = await make(ordinary)
    expect(source.location).toMatch(/\S/)
    for (let pass = 0; pass < 3; pass++) expect(plain((await read(source)).rows)).toEqual(ordinary)
  })

  it('can be read twice concurrently', async () => {
    const source = await make(ordinary)
    const [a, b] = [source.open()[Symbol.asyncIterator](), source.open()[Symbol.asyncIterator]()]
    for (const row of ordinary) {
      expect({ ...((await a.next()).value as Example) }).toEqual(row)
      expect({ ...((await b.next()).value as Example) }).toEqual(row)
    }
    expect([(await a.next()).done, (await b.next()).done]).toEqual([true, true])
  })

  it('yields no rows from an empty dataset', async () => {
    expect(await read(await make([]))).toEqual({ rows: [], rejected: [] })
  })

  it('preserves every character of unusual text', async () => {
    expect(plain((await read(await make(unusual))).rows)).toEqual(unusual)
  })
}

function describeBadRows(plugin: AnyPlugin, make: Make): void {
  const excused = plugin.exceptions?.['badRows']
  if (excused !== undefined) {
    it(`cannot have bad rows: ${excused}`, () => expect(excused).toMatch(/\S/))
    return
  }
  const [first, second, third] = ordinary
  const spoiled = [first, undefined, second, third]
  const promises = (title: string, test: () => Promise<void>): void =>
    void it(title, () => checkPromise(plugin, 'badRows', test))

  promises('stops at a bad row with its line number, after the rows before it', async () => {
    const { rows, rejected, error } = await read(await make(spoiled))
    expect(plain(rows)).toEqual([first])
    expect(rejected).toEqual([])
    expect(error?.code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
    expect(error?.problem).toMatch(/:\d+/)
  })

  promises('skips a bad row with onBadRow: skip, and passes it to `reject` with line, reason and text', async () => {
    const stopped = await read(await make(spoiled))
    const source = await make(spoiled, { onBadRow: 'skip' })
    for (let pass = 0; pass < 2; pass++) {
      const { rows, rejected } = await read(source)
      expect(plain(rows)).toEqual([first, second, third])
      expect(rejected).toEqual([
        { line: expect.any(Number), reason: expect.stringMatching(/\S/), raw: expect.stringMatching(/\S/) },
      ])
      // Lines count from 1, so the second row is on line 2 or later.
      expect(rejected[0]?.line).toBeGreaterThan(1)
      expect(stopped.error?.problem).toMatch(new RegExp(`:${rejected[0]?.line}\\b`))
    }
  })

  promises('treats a row without a required field as a bad row', async () => {
    const needed = ['no such field']
    const { rows, rejected } = await read(await make([first, second], { onBadRow: 'skip' }), needed)
    expect(rows).toEqual([])
    expect(rejected.map(({ reason }) => reason)).toEqual([1, 2].map(() => expect.stringContaining('no such field')))
    expect((await read(await make([first, second]), needed)).error?.problem).toContain('no such field')
  })

  promises('skips bad rows without a `reject` callback', async () => {
    const rows: Example[] = []
    for await (const row of (await make(spoiled, { onBadRow: 'skip' })).open()) rows.push(row)
    expect(plain(rows)).toEqual([first, second, third])
  })
}

function describeResources(make: Make, folder: () => string): void {
  const many = (count: number, text: string): SampleRow[] =>
    Array.from({ length: count }, (_, i) => ({ text: `${i} ${text}`, label: String(i % 3) }))

  if (existsSync(PROC))
    it('leaves no file open after it is abandoned half-way, read to the end, or never read', async () => {
      const source = await make(many(5000, 'some words to fill the buffers with'))
      const abandoned = source.open()[Symbol.asyncIterator]()
      for (let row = 0; row < 10; row++) expect((await abandoned.next()).done).not.toBe(true)
      await abandoned.return?.()
      await source.open()[Symbol.asyncIterator]().return?.()
      source.open()
      await read(source)
      expect(await openIn(folder())).toBe(0)
    })
  else
    it(`cannot check for open files: this system has no ${PROC}`, () => {
      expect(process.platform).not.toBe('linux')
    })

  it('reads 30 MB in less than a third of that memory', async () => {
    const [count, text] = [60_000, 'word '.repeat(100)]
    const source = await make(many(count, text))
    const { rows, bytes } = await readAndMeasure(source, count / 10)
    expect(rows).toBe(count)
    expect(bytes).toBeLessThan((count * text.length) / 3)
  })
}
