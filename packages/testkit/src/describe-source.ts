import { mkdtempSync, existsSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type AnyPlugin, type AttuneError, type Example, type Rejected, type Source, isAttuneError } from '@attune/core'
import { describeOptions } from './describe-options.js'

/** A row that any format can hold; `undefined` stands for one that cannot be read. */
export type SampleRow = { readonly text: string; readonly label: string } | undefined

/** How the suite comes by something for the source to read. */
export interface SourceFixture {
  /** Puts rows, in the source's format, into something new in `folder`; the options that read it. */
  write(
    rows: readonly SampleRow[],
    folder: string,
  ): Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>
  /** Options that lead to nothing. */
  readonly missing: Readonly<Record<string, unknown>>
}

/** What was read before the end or before the error. */
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

const awkward: readonly SampleRow[] = [
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

/** The descriptors of this process that lead into a folder, once those that are being closed have gone. */
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

/** Bytes in use after everything that can be freed has been. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Reads everything and tells how many rows there were and by how much the memory in use ever rose. */
async function readAndWeigh(source: Source, every: number): Promise<{ rows: number; bytes: number }> {
  const before = bytesInUse()
  const reading = source.open()[Symbol.asyncIterator]()
  let rows = 0
  let bytes = 0
  while ((await reading.next()).done !== true) if (++rows % every === 0) bytes = Math.max(bytes, bytesInUse() - before)
  return { rows, bytes }
}

/**
 * The contract of a source. A source whose rows cannot be bad says so under `exceptions: { badRows: reason }` of its
 * manifest; any other must have the option `onBadRow: 'stop' | 'skip'`, `stop` unless given.
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

    it('refuses what does not exist, with a code and a remedy', async () => {
      const { rows, error } = await read(plugin(fixture.missing) as Source)
      expect(rows).toEqual([])
      expect(error?.code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
      expect(error?.remedy).toMatch(/\w/)
    })
  })
}

type Make = (rows: readonly SampleRow[], more?: Readonly<Record<string, unknown>>) => Promise<Source>

function describeReading(make: Make): void {
  it('gives the rows in order, the same ones each time it is opened', async () => {
    const source = await make(ordinary)
    expect(source.location).toMatch(/\S/)
    for (let pass = 0; pass < 3; pass++) expect(plain((await read(source)).rows)).toEqual(ordinary)
  })

  it('can be opened twice at once', async () => {
    const source = await make(ordinary)
    const [a, b] = [source.open()[Symbol.asyncIterator](), source.open()[Symbol.asyncIterator]()]
    for (const row of ordinary) {
      expect({ ...((await a.next()).value as Example) }).toEqual(row)
      expect({ ...((await b.next()).value as Example) }).toEqual(row)
    }
    expect([(await a.next()).done, (await b.next()).done]).toEqual([true, true])
  })

  it('gives nothing where there is nothing', async () => {
    expect(await read(await make([]))).toEqual({ rows: [], rejected: [] })
  })

  it('keeps every character of awkward text', async () => {
    expect(plain((await read(await make(awkward))).rows)).toEqual(awkward)
  })
}

function describeBadRows(plugin: AnyPlugin, make: Make): void {
  const excused = plugin.exceptions?.['badRows']
  if (excused !== undefined) {
    it(`is excused from bad rows: ${excused}`, () => expect(excused).toMatch(/\S/))
    return
  }
  const [first, second, third] = ordinary
  const spoiled = [first, undefined, second, third]

  it('stops at a bad row, after the rows before it, and names its line', async () => {
    const { rows, rejected, error } = await read(await make(spoiled))
    expect(plain(rows)).toEqual([first])
    expect(rejected).toEqual([])
    expect(error?.code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
    expect(error?.problem).toMatch(/:\d+/)
  })

  it('leaves a bad row out if told to skip, and hands it to `reject` with line, reason and text', async () => {
    const stopped = await read(await make(spoiled))
    const source = await make(spoiled, { onBadRow: 'skip' })
    for (let pass = 0; pass < 2; pass++) {
      const { rows, rejected } = await read(source)
      expect(plain(rows)).toEqual([first, second, third])
      expect(rejected).toEqual([
        { line: expect.any(Number), reason: expect.stringMatching(/\S/), raw: expect.stringMatching(/\S/) },
      ])
      // The second row is at least on the second line, where lines count from 1.
      expect(rejected[0]?.line).toBeGreaterThan(1)
      expect(stopped.error?.problem).toMatch(new RegExp(`:${rejected[0]?.line}\\b`))
    }
  })

  it('takes a row that has nothing under a field that is needed as a bad one', async () => {
    const needed = ['no such field']
    const { rows, rejected } = await read(await make([first, second], { onBadRow: 'skip' }), needed)
    expect(rows).toEqual([])
    expect(rejected.map(({ reason }) => reason)).toEqual([1, 2].map(() => expect.stringContaining('no such field')))
    expect((await read(await make([first, second]), needed)).error?.problem).toContain('no such field')
  })

  it('skips bad rows even if nobody listens', async () => {
    const rows: Example[] = []
    for await (const row of (await make(spoiled, { onBadRow: 'skip' })).open()) rows.push(row)
    expect(plain(rows)).toEqual([first, second, third])
  })
}

function describeResources(make: Make, folder: () => string): void {
  const many = (count: number, text: string): SampleRow[] =>
    Array.from({ length: count }, (_, i) => ({ text: `${i} ${text}`, label: String(i % 3) }))

  if (existsSync(PROC))
    it('holds no file open after it was abandoned half-way, read to the end, or never read', async () => {
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
    it(`was not checked for files left open: this system has no ${PROC}`, () => {
      expect(process.platform).not.toBe('linux')
    })

  it('reads 30 MB in less than a third of that memory', async () => {
    const [count, text] = [60_000, 'word '.repeat(100)]
    const source = await make(many(count, text))
    const { rows, bytes } = await readAndWeigh(source, count / 10)
    expect(rows).toBe(count)
    expect(bytes).toBeLessThan((count * text.length) / 3)
  })
}
