import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Line, readLines } from './read-lines.js'

let folder = ''
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'attune-lines-'))))
afterAll(() => rmSync(folder, { recursive: true }))

function write(content: string | Buffer, name = 'file.txt'): string {
  const path = join(folder, name)
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(content) : content)
  return path
}

async function linesOf(path: string, maximumLineBytes?: number): Promise<Line[]> {
  const lines: Line[] = []
  for await (const some of readLines(path, maximumLineBytes === undefined ? {} : { maximumLineBytes }))
    lines.push(...some)
  return lines
}

const texts = async (path: string): Promise<string[]> => (await linesOf(path)).map(({ text }) => text)

const line = fc.record({
  text: fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replace(/[\r\n\uFEFF]/g, '')),
  ending: fc.constantFrom('\n' as const, '\r\n' as const),
})

describe('readLines', () => {
  it('restores the written lines, plain and gzipped, numbered from 1', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.boolean(),
        fc.constantFrom('a.txt', 'a.txt.gz'),
        async (some, whole, name) => {
          const lines = await linesOf(
            write(some.map(({ text, ending }) => text + ending).join('') + (whole ? '' : 'end'), name),
          )
          expect(lines).toEqual(
            [...some, ...(whole ? [] : [{ text: 'end', ending: '' }])].map((each, i) => ({ ...each, number: i + 1 })),
          )
        },
      ),
    ))

  it('joins multi-byte characters, CRLF and long lines across chunk boundaries', async () => {
    for (let shift = 0; shift < 5; shift++) {
      const written = [
        'x'.repeat(65_530 + shift) + '日本語👩🏽‍🚀',
        'é'.repeat(200_000),
        '',
        'y'.repeat(65_535 - shift),
        'end',
      ]
      expect(await texts(write(written.join('\r\n')))).toEqual(written)
    }
  })

  it('removes one byte order mark, at the start only', async () => {
    expect(await texts(write('\uFEFFa\n\uFEFFb\n'))).toEqual(['a', '\uFEFFb'])
  })

  it('yields no line for an empty file, and an empty line for a single line ending', async () => {
    expect(await texts(write(''))).toEqual([])
    expect(await texts(write('', 'empty.gz'))).toEqual([])
    expect(await texts(write('\n'))).toEqual([''])
  })

  it('keeps a carriage return that is not part of a line ending', async () => {
    expect(await texts(write('a\rb\nc\r'))).toEqual(['a\rb', 'c\r'])
  })

  it('reads all members of a multi-member gzip file', async () => {
    const path = join(folder, 'members.gz')
    writeFileSync(path, Buffer.concat([gzipSync('a\n'), gzipSync('b\n')]))
    expect(await texts(path)).toEqual(['a', 'b'])
  })

  it.each([
    ['a byte of Latin-1', Buffer.from('caf\xe9', 'latin1')],
    ['a truncated character', Buffer.from('日').subarray(0, 2)],
    ['half a surrogate pair', Buffer.from([0xed, 0xa0, 0x80])],
    ['an overlong zero', Buffer.from([0xc0, 0x80])],
  ])('rejects %s and names the line', async (_, bytes) => {
    const path = write(Buffer.concat([Buffer.from('fine\nfiné\n'), bytes, Buffer.from('\nfine\n')]))
    const error = { code: 'NOT_UTF8', problem: expect.stringContaining(`${path}:3`) }
    await expect(linesOf(path)).rejects.toMatchObject(error)
  })

  it('rejects UTF-16', async () => {
    await expect(linesOf(write(Buffer.from('\uFEFFtext\n', 'utf16le')))).rejects.toMatchObject({ code: 'NOT_UTF8' })
  })

  it('limits the length of lines in bytes, without their endings', async () => {
    expect(await linesOf(write('abc\r\né1\nabc'), 3)).toHaveLength(3)
    for (const content of ['abc\r\néé\n', 'abc\nabcd', `abc\n${'d'.repeat(100_000)}`]) {
      const path = write(content)
      const error = { code: 'LINE_TOO_LONG', problem: expect.stringContaining(`${path}:2`) }
      await expect(linesOf(path, 3)).rejects.toMatchObject(error)
    }
  })

  it('stops decompressing a small file that consists of one huge line', async () => {
    const path = write(Buffer.alloc(200 * 2 ** 20, 'a'), 'bomb.gz')
    const before = process.memoryUsage().rss
    await expect(linesOf(path)).rejects.toMatchObject({ code: 'LINE_TOO_LONG' })
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20)
  })

  it.each([
    ['empty lines', '\n', 25 * 2 ** 20],
    ['short rows', '{"a":1}\n', 8 * 2 ** 20],
  ])('rejects a gzip file of %s that decompresses to hundreds of times its size', async (_, row, rows) => {
    const path = write(Buffer.alloc(row.length * rows, row), 'many.gz')
    let read = 0
    const reading = (async () => {
      for await (const lines of readLines(path)) read += lines.length
    })()
    await expect(reading).rejects.toMatchObject({
      code: 'INPUT_TOO_COSTLY',
      problem: expect.stringContaining('many.gz'),
      remedy: expect.stringContaining('gunzip'),
    })
    expect(read).toBeGreaterThan(50_000)
    expect(read).toBeLessThan(rows)
  })

  it('reads a gzip file with a compression ratio of one hundred', async () => {
    const row = `${JSON.stringify({ text: 'It was a dark and stormy night; '.repeat(6), label: 'night' })}\n`
    const path = write(row.repeat(20_000), 'alike.gz')
    expect((await linesOf(path)).length).toBe(20_000)
  })

  it('yields the lines of a truncated gzip file before it throws with the file name', async () => {
    const path = join(folder, 'truncated.gz')
    writeFileSync(
      path,
      gzipSync(Array.from({ length: 50_000 }, (_, i) => `line ${i} ${i * i}\n`).join('')).subarray(0, -900),
    )
    let seen = 0
    const reading = (async () => {
      for await (const lines of readLines(path)) seen += lines.length
    })()
    await expect(reading).rejects.toMatchObject({ code: 'BAD_GZIP', problem: expect.stringContaining(path) })
    expect(seen).toBeGreaterThan(10_000)
  })

  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['plain text', Buffer.from('text\n')],
  ])('rejects %s with the extension .gz', async (_, content) => {
    const path = join(folder, 'not.gz')
    writeFileSync(path, content)
    await expect(linesOf(path)).rejects.toMatchObject({ code: 'BAD_GZIP' })
  })

  it('suggests similar names for a missing file', async () => {
    write('a\n', 'training.jsonl')
    const error = { code: 'FILE_NOT_FOUND', remedy: expect.stringContaining('training.jsonl') }
    await expect(linesOf(join(folder, 'trainign.jsonl'))).rejects.toMatchObject(error)
    await expect(linesOf(join(folder, 'none/train.jsonl'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      remedy: expect.stringContaining(`no folder ${join(folder, 'none')}`),
    })
  })

  it('rejects a folder', async () => {
    mkdirSync(join(folder, 'inner'))
    await expect(linesOf(join(folder, 'inner'))).rejects.toMatchObject({ code: 'FILE_NOT_READABLE' })
  })
})
