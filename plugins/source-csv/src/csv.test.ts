import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Example, Rejected } from '@attune/core'
import { describeSource } from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { csv } from './csv.js'

interface Golden {
  readonly source: string
  readonly files: readonly { delimiter: string; content: string; rows: Record<string, string>[] }[]
}

const golden = JSON.parse(readFileSync('golden/python-csv.json', 'utf8')) as Golden
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

for (const [name, delimiter] of [
  ['rows.csv', ','],
  ['rows.tsv.gz', '\t'],
] as const)
  describeSource(csv, {
    write(rows, folder) {
      const path = join(folder, name)
      const lines = rows.map((row) => (row ? quoted(row.text) + delimiter + quoted(row.label) : 'only one column'))
      const text = [`text${delimiter}label`, ...lines, ''].join('\r\n')
      writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text)
      return { path, delimiter }
    },
    missing: { path: `no/such/${name}` },
  })

describe('csv', () => {
  let folder = ''
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'attune-csv-'))))
  afterAll(() => rmSync(folder, { recursive: true }))

  async function read(content: string, options: { delimiter?: string; columns?: string[]; onBadRow?: 'skip' } = {}) {
    const path = join(folder, 'rows.csv')
    writeFileSync(path, content)
    const rows: Example[] = []
    const rejected: Rejected[] = []
    for await (const row of csv({ path, ...options }).open((bad) => rejected.push(bad))) rows.push(row)
    return { rows, rejected }
  }

  it.each(golden.files.map((file, i) => [i, file] as const))(
    `reads file %d as ${golden.source} does`,
    async (_, { content, delimiter, rows }) => {
      expect((await read(content, { delimiter })).rows).toEqual(rows)
    },
  )

  it('rejects only the line of a stray quote, and reports it', async () => {
    const content = 'text,label\na,b\n5" disk,x\n"of two\nlines",y\n"a"b,z\n\nc,d\n"never closed,e\nf,g\nh,i'
    const { rows, rejected } = await read(content, { onBadRow: 'skip' })
    expect(rows).toEqual(
      [
        ['a', 'b'],
        ['of two\nlines', 'y'],
        ['c', 'd'],
        ['f', 'g'],
        ['h', 'i'],
      ].map(([text, label]) => ({ text, label })),
    )
    expect(rejected).toEqual([
      { line: 3, raw: '5" disk,x', reason: 'expected no quote inside an unquoted field' },
      { line: 6, raw: '"a"b,z', reason: 'expected a delimiter or the end of the row after a closing quote' },
      { line: 9, raw: '"never closed,e', reason: 'expected a closing quote' },
    ])
    await expect(read(content)).rejects.toMatchObject({
      code: 'BAD_ROW',
      problem: expect.stringMatching(/rows\.csv:3\)$/),
    })
  })

  it.each([
    ['text,lable\na,b\n', {}, 'the header, got "text", "lable"'],
    ['a,b\n', { columns: ['text', 'lable'] }, '`columns`, got "text", "lable"'],
  ])('names the columns if a required one is missing: %j', async (content, options, found) => {
    const path = join(folder, 'columns.csv')
    writeFileSync(path, content)
    const rows = csv({ path, ...options }).open(undefined, ['text', 'label'])
    const reading = rows[Symbol.asyncIterator]()
    await expect(reading.next()).rejects.toMatchObject({
      code: 'BAD_HEADER',
      problem: `expected the column "label" in ${found} (${path})`,
      remedy: expect.stringMatching(/^Did you mean "lable"\?/),
    })
  })

  it('rejects stray quotes among many rows without losing a valid row', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) =>
      i % 1000 === 500 ? `stray " ${i},x` : `"text, ${i}\n",${i % 7}`,
    )
    const { rows, rejected } = await read(`text,label\n${lines.join('\n')}`, { onBadRow: 'skip' })
    expect([rows.length, rejected.length]).toEqual([29_970, 30])
    expect(rejected.every(({ raw }) => raw.startsWith('stray "'))).toBe(true)
    // Each valid row takes two lines, each bad one takes one, after the header.
    expect(rejected.map(({ line }) => line)).toEqual(Array.from({ length: 30 }, (_, k) => 2 + (k * 1000 + 500) * 2 - k))
  })

  it('reads a field of 200,000 lines', async () => {
    const text = 'a line of a long field\n'.repeat(200_000)
    expect((await read(`text,label\n"${text}",x\nb,y\n`)).rows).toEqual([
      { text, label: 'x' },
      { text: 'b', label: 'y' },
    ])
  })

  it.each([
    ['a stray quote in every row', 'a"\n', { text: 'a' }],
    ['an opening quote in every row', '"a\n', { text: 'a' }],
    ['alternating valid and bad rows', 'x\n"a\n', { text: 'x' }],
  ])('reads a megabyte with %s in linear time', async (_, part) => {
    const begun = process.cpuUsage()
    const { rejected } = await read(`text\n${part.repeat(1e6 / part.length)}`, { onBadRow: 'skip' })
    expect(rejected.length).toBeGreaterThan(150_000)
    expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(10) // half a second in fact; 200 if it were quadratic
  })

  it('rejects a quote that opens more text than a row may have, and continues after it', async () => {
    const filler = `${'x'.repeat(999)},y\n`.repeat(18_000)
    const { rows, rejected } = await read(`text,label\n"never closed,e\n${filler}`, { onBadRow: 'skip' })
    expect([rows.length, rejected.length, rejected[0]?.line]).toEqual([18_000, 1, 2])
  })

  it.each([
    ['too few columns', 'a'],
    ['too many columns', 'a,b,c'],
    ['white space', '  '],
  ])('rejects a row with %s', async (_, line) => {
    const { rows, rejected } = await read(`text,label\na,b\n${line}\nc,d\n`, { onBadRow: 'skip' })
    expect([rows.length, rejected]).toEqual([2, [{ line: 3, raw: line, reason: expect.stringContaining('2 columns') }]])
  })

  it('reads a file without a header with the given column names', async () => {
    expect((await read('a,b\nc,d\n', { columns: ['text', 'label'] })).rows).toEqual([
      { text: 'a', label: 'b' },
      { text: 'c', label: 'd' },
    ])
  })

  it('accepts `__proto__` as a column name', async () => {
    const [row] = (await read('__proto__,constructor\nx,y\n')).rows
    expect(Object.entries(row!)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
    expect(Object.getPrototypeOf(row)).toBe(Object.getPrototypeOf({}))
  })

  it.each([
    ['repeats a column name', 'text,label,text\na,b,c\n', '"text"'],
    ['has a stray quote', 'te"xt,label\na,b\n', 'quote'],
  ])('rejects a header that %s, even if bad rows are skipped', async (_, content, named) => {
    await expect(read(content, { onBadRow: 'skip' })).rejects.toMatchObject({
      code: 'BAD_HEADER',
      problem: expect.stringMatching(new RegExp(`${named}.*rows\\.csv:1`)),
    })
  })

  it('shortens a long column name in the error', async () => {
    const name = 'n'.repeat(100_000)
    await expect(read(`${name},${name}\n`)).rejects.toMatchObject({
      code: 'BAD_HEADER',
      problem: expect.stringMatching(/^.{0,300}$/),
    })
  })

  it('stops before 100,000 bad rows of a file that was highly compressed', async () => {
    const path = join(folder, 'bad.csv.gz')
    writeFileSync(path, gzipSync(`a,b\n${'x\n'.repeat(2_000_000)}`))
    const rejected: Rejected[] = []
    const readAll = async () => {
      for await (const row of csv({ path, onBadRow: 'skip' }).open((bad) => rejected.push(bad)))
        expect(row).toBeUndefined()
    }
    await expect(readAll()).rejects.toMatchObject({ code: 'INPUT_TOO_COSTLY' })
    expect(rejected.length).toBeLessThan(100_000)
  })

  it.each([
    ['text;label\ngood;1\n', {}, 'delimiter: ";"'],
    ['text\tlabel\ngood\t1\n', {}, 'delimiter: "\\t"'],
    ['text|label\ngood|1\n', {}, 'delimiter: "|"'],
    ['text;label\ngood;1\n', { delimiter: '\t' }, 'delimiter: ";"'],
  ])('rejects a header %j of one column that has another delimiter, and names it', async (content, options, said) => {
    await expect(read(content, options)).rejects.toMatchObject({
      code: 'BAD_HEADER',
      remedy: expect.stringContaining(said) as unknown,
    })
  })

  it('reads semicolons in columns that are named, or that another delimiter separates', async () => {
    expect((await read('a;b\n', { columns: ['text'] })).rows).toEqual([{ text: 'a;b' }])
    expect((await read('a;b,c\n1,2\n')).rows).toEqual([{ 'a;b': '1', c: '2' }])
  })

  it('rejects lines that end in carriage returns alone', async () => {
    await expect(read('text,label\rgood,1\rbad,0\r')).rejects.toMatchObject({
      code: 'BAD_LINE_ENDS',
      remedy: expect.stringContaining("tr '\\r' '\\n'") as unknown,
    })
  })

  it('decompresses a file with the ending .GZ, and one without the ending', async () => {
    for (const name of ['rows.csv.GZ', 'rows-gzipped.csv']) {
      const path = join(folder, name)
      writeFileSync(path, gzipSync('text,label\ngood,1\n'))
      const rows: Example[] = []
      for await (const row of csv({ path }).open()) rows.push(row)
      expect([name, rows]).toEqual([name, [{ text: 'good', label: '1' }]])
    }
  })

  it.each([
    { delimiter: '' },
    { delimiter: '"' },
    { delimiter: '\n' },
    { delimiter: ', ' },
    { columns: [] },
    { columns: ['a', 'a'] },
  ])('rejects the options %j', (options) => {
    expect(() => csv({ path: 'rows.csv', ...options })).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
  })

  it('returns no rows for an empty file or one with only a header', async () => {
    expect([(await read('')).rows, (await read('text,label\n')).rows]).toEqual([[], []])
  })
})
