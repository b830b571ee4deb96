import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Example, Rejected } from '@attune/core'
import { describeSource } from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { jsonl } from './jsonl.js'

for (const name of ['rows.jsonl', 'rows.jsonl.gz'])
  describeSource(jsonl, {
    write(rows, folder) {
      const path = join(folder, name)
      const text = rows.map((row) => `${row === undefined ? '{"text": "unfinished' : JSON.stringify(row)}\n`).join('')
      writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text)
      return { path }
    },
    missing: { path: `no/such/${name}` },
  })

describe('jsonl', () => {
  let folder = ''
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'attune-jsonl-'))))
  afterAll(() => rmSync(folder, { recursive: true }))
  const write = (content: string | Buffer): string => {
    const path = join(folder, 'rows.jsonl')
    writeFileSync(path, content)
    return path
  }

  async function read(path: string, onBadRow: 'stop' | 'skip' = 'stop') {
    const rows: Example[] = []
    const rejected: Rejected[] = []
    for await (const row of jsonl({ path, onBadRow }).open((bad) => rejected.push(bad))) rows.push(row)
    return { rows, rejected }
  }

  it('skips blank lines anywhere, and counts them', async () => {
    const { rows, rejected } = await read(write('\n{"a":1}\r\n\r\n \t\n{"a":2}\n[]\n\n'), 'skip')
    expect(rows).toEqual([{ a: 1 }, { a: 2 }])
    expect(rejected.map(({ line }) => line)).toEqual([6])
  })

  it('keeps the types and the nesting of values', async () => {
    const row = { text: 'x', n: -1.5e-7, yes: true, none: null, list: [1, ['2']], inner: { deep: {} } }
    expect((await read(write(JSON.stringify(row)))).rows).toEqual([row])
  })

  it.each([
    ['an array', '[1, 2]', 'an array'],
    ['a string', '"text"', 'a string'],
    ['a number', '17', 'a number'],
    ['null', 'null', 'null'],
    ['two objects on a line', '{"a":1} {"a":2}', 'expected JSON'],
    ['an unclosed object', '{"a":1', 'expected JSON'],
    ['single quotes', "{'a': 1}", 'expected JSON'],
    ['a number that JSON lacks', '{"a": NaN}', 'expected JSON'],
  ])('rejects %s', async (_, line, reason) => {
    const path = write(`{"a":0}\n${line}\n`)
    expect((await read(path, 'skip')).rejected).toEqual([
      { line: 2, reason: expect.stringContaining(reason), raw: line },
    ])
    await expect(read(path)).rejects.toMatchObject({ code: 'BAD_ROW', problem: expect.stringContaining(`(${path}:2)`) })
  })

  it.each(['NaN', 'Infinity', '-Infinity'])('names %s, which only Python writes, and what to write', async (number) => {
    const path = write(`{"text": "NaN is not JSON", "label": 1}\n{"text": "a \\" NaN", "label": ${number}}\n`)
    await expect(read(path)).rejects.toMatchObject({
      code: 'BAD_ROW',
      problem: expect.stringContaining(`expected JSON, got ${number}, a number that only Python writes`),
      remedy: `Write \`null\` or the text "${number}" instead of ${number}.`,
    })
  })

  it('says how to convert a file that is one array', async () => {
    for (const content of ['[\n{"a": 1}\n]\n', '[{"a": 1}]'])
      await expect(read(write(content))).rejects.toMatchObject({
        problem: expect.stringContaining('expected a JSON object, got an array'),
        remedy: expect.stringContaining("jq -c '.[]'"),
      })
  })

  it('reads integers that a number would round as strings of their digits', async () => {
    const line =
      '{"id": 9007199254740993, "list": [-12345678901234567890, 1], "safe": 9007199254740991, "x": 12345678901234567890.5, "e": 1e300, "text": "id 9007199254740993"}'
    expect((await read(write(line))).rows).toEqual([
      {
        id: '9007199254740993',
        list: ['-12345678901234567890', 1],
        safe: 9007199254740991,
        x: Number('12345678901234567890.5'),
        e: 1e300,
        text: 'id 9007199254740993',
      },
    ])
  })

  it('accepts `__proto__` and `constructor` as field names, without prototype pollution', async () => {
    const { rows } = await read(write('{"__proto__": {"polluted": true}, "constructor": 1, "text": "x"}'))
    expect(Object.keys(rows[0]!)).toEqual(['__proto__', 'constructor', 'text'])
    expect([(rows[0] as { polluted?: unknown }).polluted, ({} as { polluted?: unknown }).polluted]).toEqual([
      undefined,
      undefined,
    ])
  })

  it('reads values nested 128 deep, and rejects deeper ones', async () => {
    const nested = (depth: number): string => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
    const { rows, rejected } = await read(write([128, 129, 500_000].map(nested).join('\n')), 'skip')
    expect(rows).toHaveLength(1)
    expect(rejected.map(({ line, reason }) => [line, reason])).toEqual(
      [2, 3].map((line) => [line, expect.stringContaining('nested more than 128 deep')]),
    )
  })

  it('rejects a pipe, which cannot be read twice, without waiting for its writer', async () => {
    const path = join(folder, 'pipe.jsonl')
    execFileSync('mkfifo', [path])
    await expect(read(path)).rejects.toMatchObject({
      code: 'FILE_NOT_READABLE',
      problem: expect.stringContaining('it is a pipe'),
    })
  })

  it('reads a file of bad rows in little time', async () => {
    const bad = ['{', 'x', '[', '""', '{}}', '{"a":}']
    const path = write(`${bad.join('\n')}\n`.repeat(10_000))
    const before = process.cpuUsage().user
    expect((await read(path, 'skip')).rejected).toHaveLength(60_000)
    expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(5)
  })

  it('stops before 30,000 bad rows of a file that was highly compressed', async () => {
    const path = join(folder, 'bad.jsonl.gz')
    writeFileSync(path, gzipSync('{x}\n'.repeat(1_000_000)))
    const rejected: Rejected[] = []
    const readAll = async () => {
      for await (const row of jsonl({ path, onBadRow: 'skip' }).open((bad) => rejected.push(bad)))
        expect(row).toBeUndefined()
    }
    await expect(readAll()).rejects.toMatchObject({ code: 'INPUT_TOO_COSTLY' })
    expect(rejected.length).toBeLessThan(30_000)
  })

  it('stops at text that is not UTF-8 even if bad rows are skipped', async () => {
    const path = write(Buffer.from('{"text":"ok"}\n{"text":"caf\xe9"}\n', 'latin1'))
    await expect(read(path, 'skip')).rejects.toMatchObject({ code: 'NOT_UTF8', problem: expect.stringContaining(':2') })
  })

  const real = '../../examples/debian-sections/train.jsonl.gz'
  it(
    existsSync(real)
      ? 'reads the training file of the example, 5,349 rows with three text fields'
      : 'skips the training file of the example, which is not installed',
    async () => {
      const { rows } = existsSync(real) ? await read(real) : { rows: [] }
      expect(rows).toHaveLength(existsSync(real) ? 5349 : 0)
      for (const row of rows)
        expect(Object.entries(row).map(([name, value]) => `${name} ${typeof value}`)).toEqual([
          'text string',
          'label string',
          'package string',
        ])
    },
  )
})
