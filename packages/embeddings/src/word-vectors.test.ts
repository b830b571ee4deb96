import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from '@jest/globals'
import { key } from '@attune/core'
import { embeddingMatrix } from './embedding-matrix.js'
import { similarity } from './similarity.js'
import { type VectorFormat, readWordVectors, shortestDecimal, writeWordVectors } from './word-vector-files.js'
import { vectorOf, wordVectors } from './word-vectors.js'

type Found = readonly (readonly [word: string, cosine: number])[]
const golden = JSON.parse(readFileSync('golden/gensim.json', 'utf8')) as {
  readonly words: readonly string[]
  readonly size: number
  readonly values: readonly number[]
  readonly similarities: readonly (readonly [string, string, number])[]
  readonly nearest: Readonly<Record<string, Found>>
  readonly analogies: readonly (readonly [string, string, string, Found])[]
}
const vectors = wordVectors(golden.words, golden.size, Float32Array.from(golden.values))
const folder = mkdtempSync(join(tmpdir(), 'vectors-'))
afterAll(() => rmSync(folder, { recursive: true }))
const fileOf = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

const FILES: readonly (readonly [string, VectorFormat])[] = [
  ['gensim.txt', 'word2vec'],
  ['gensim-glove.txt', 'glove'],
  ['gensim.bin', 'word2vec-binary'],
]

describe.each(FILES)('the gensim file %s', (name, format) => {
  it.each([undefined, format])('is read bit-exactly with format %s', async (given) => {
    const read = await readWordVectors(join('golden', name), given === undefined ? {} : { format: given })
    expect(read.words).toEqual(golden.words)
    expect(read.values).toEqual(vectors.values)
  })

  it('is reproduced byte for byte by writing the same vectors', async () => {
    const path = join(folder, name)
    await writeWordVectors(path, vectors, format)
    expect(readFileSync(path)).toEqual(readFileSync(join('golden', name)))
  })

  it('is read up to the maximum number of words', async () => {
    const read = await readWordVectors(join('golden', name), { maximumWords: 3 })
    expect(read.words).toEqual(golden.words.slice(0, 3))
    expect(read.values).toEqual(vectors.values.slice(0, 18))
  })
})

describe('readWordVectors and writeWordVectors', () => {
  it('round-trip extreme values in text', async () => {
    const values = Float32Array.from([0, -0, 1e-45, 3.4028234663852886e38, -1.17549435e-38, 1 / 3, 16777217, 0.1])
    const path = join(folder, 'extreme.txt')
    await writeWordVectors(path, wordVectors(['a', 'b'], 4, values))
    expect((await readWordVectors(path)).values).toEqual(Float32Array.from(values, (x) => (x === 0 ? 0 : x)))
    expect(shortestDecimal(Math.fround(0.1))).toBe('0.1')
  })

  it('accept gzipped files, trailing spaces, and words with spaces', async () => {
    const path = fileOf('spaces.txt.gz', gzipSync('. . . 1 2 \nat name@domain.com 3 4\n\u0085 5 6\n'))
    await expect(readWordVectors(path)).rejects.toMatchObject({ code: 'BAD_WORD_VECTORS' })
    const first = fileOf('first.txt.gz', gzipSync('the 1 2 \n. . . 3 4\n\u0085 5 6\n'))
    expect((await readWordVectors(first)).words).toEqual(['the', '. . .', '\u0085'])
  })

  it('accept binary files with a line feed before each word, as written by the original program', async () => {
    const numbers = Buffer.from(Float32Array.from([1, 2]).buffer)
    const bytes = Buffer.concat([Buffer.from('2 2\na '), numbers, Buffer.from('\nb '), numbers, Buffer.from('\n')])
    expect((await readWordVectors(fileOf('original.bin', bytes))).words).toEqual(['a', 'b'])
  })

  it.each([
    ['fewer words than declared', '3 2\na 1 2\nb 3 4\n', '3 words, but it has 2'],
    ['more words than declared', '1 2\na 1 2\nb 3 4\n', 'more follow'],
    ['NaN', '1 2\na 1 nan\n', 'number 2'],
    ['infinity', '1 2\na Infinity 1\n', 'number 1'],
    ['a number beyond single precision', 'a 1e39 1\n', 'number 1'],
    ['two spaces', 'a 1 2\nb 1  2\n', 'number 1'],
    ['a huge size', '1 100000000\na 1\n', '100000000 numbers'],
    ['size 0', '1 0\na\n', '0 numbers'],
    ['a huge count and one word', '999999999999999 2\na 1 2\n', '999999999999999 words, but it has 1'],
    ['a duplicate word', 'a 1 2\nb 1 2\na 3 4\n', 'the word "a" twice'],
    ['fewer numbers in a line', 'a 1 2\nb 1\n', '2 fields'],
    ['a vector without a word', 'a 1 2\n 1 2\n', 'no word'],
    ['no content', '', 'empty'],
    ['a single word', 'word\n', '0 numbers'],
  ])('reject text files with %s', async (_, text, problem) => {
    await expect(readWordVectors(fileOf('malformed.txt', text))).rejects.toMatchObject({
      code: 'BAD_WORD_VECTORS',
      problem: expect.stringContaining(problem),
    })
  })

  it.each([
    ['an invalid header', Buffer.from('two 2\na '), 'first line'],
    ['no line at all', Buffer.alloc(20_000, 'x'), 'more than 10000 bytes'],
    ['a truncated vector', readFileSync('golden/gensim.bin').subarray(0, -1), 'it has 19 complete'],
    ['trailing data', Buffer.concat([readFileSync('golden/gensim.bin'), Buffer.alloc(9)]), 'data after its'],
    ['a huge count', Buffer.concat([Buffer.from('999999999999 2\n')]), 'it has 0 complete'],
    ['an endless word', Buffer.concat([Buffer.from('1 2\n'), Buffer.alloc(20_000, 'x')]), 'more than 10000 bytes'],
    ['NaN', Buffer.concat([Buffer.from('1 1\na '), Buffer.from(Float32Array.of(NaN).buffer)]), 'not finite'],
  ])('reject binary files with %s', async (_, bytes, problem) => {
    await expect(readWordVectors(fileOf('malformed.bin', bytes))).rejects.toMatchObject({
      code: 'BAD_WORD_VECTORS',
      problem: expect.stringContaining(problem),
    })
  })

  it('reject missing files and folders', async () => {
    for (const name of ['none.txt', 'none.bin'])
      await expect(readWordVectors(join(folder, name))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    await expect(readWordVectors(folder, { format: 'word2vec-binary' })).rejects.toMatchObject({
      code: 'FILE_NOT_READABLE',
    })
  })

  it('reject a pipe without waiting for its writer', async () => {
    for (const name of ['pipe.txt', 'pipe.bin']) {
      execFileSync('mkfifo', [join(folder, name)])
      await expect(readWordVectors(join(folder, name))).rejects.toMatchObject({ code: 'FILE_NOT_READABLE' })
    }
  })

  it('bound time and memory by the size of a malicious file', async () => {
    const malicious = {
      'spaces.txt': ' '.repeat(1_000_000),
      'promises.txt': `999999999999999 1\n${Array.from({ length: 100_000 }, (_, i) => `${i} 1`).join('\n')}`,
      'wide.txt': `1 10000\n${'a\n'.repeat(500_000)}`,
      'wide.bin': Buffer.concat([Buffer.from('999999999999999 10000\na '), Buffer.alloc(1_000_000)]),
      'many.bin': Buffer.concat([Buffer.from('99999999 1\n'), Buffer.from('a    \n'.repeat(100_000))]),
    }
    const before = process.cpuUsage().user
    const held = process.memoryUsage().arrayBuffers
    for (const [name, content] of Object.entries(malicious))
      await expect(readWordVectors(fileOf(name, Buffer.from(content)))).rejects.toMatchObject({
        code: 'BAD_WORD_VECTORS',
        problem: expect.stringMatching(/^.{1,400}$/),
      })
    expect(process.memoryUsage().arrayBuffers - held).toBeLessThan(100e6)
    expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(10)
  })

  it('reject words and values that the formats cannot represent, and unwritable paths', async () => {
    const one = (word: string, value: number) => wordVectors([word], 1, Float32Array.of(value))
    for (const odd of [one('a b', 1), one('', 1), one('a\n', 1), one('a', NaN)])
      await expect(writeWordVectors(join(folder, 'odd.txt'), odd)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
    await expect(writeWordVectors(join(folder, 'no/folder.txt'), vectors)).rejects.toMatchObject({
      code: 'CANNOT_WRITE',
    })
  })
})

describe('similarity, compared with gensim', () => {
  const ask = similarity(vectors)
  const expectSame = (found: ReturnType<typeof ask.nearest>, expected: Found): void => {
    expect(found.map(({ word }) => word)).toEqual(expected.map(([word]) => word))
    for (const [i, { cosine }] of found.entries()) expect(Math.abs(cosine - expected[i]![1])).toBeLessThan(1e-6)
  }

  it('matches the cosine of two words', () => {
    for (const [a, b, cosine] of golden.similarities) expect(Math.abs(ask.between(a, b) - cosine)).toBeLessThan(1e-6)
  })

  it('matches the nearest neighbours', () => {
    for (const [word, expected] of Object.entries(golden.nearest)) expectSame(ask.nearest(word, 5), expected)
  })

  it('matches the analogies', () => {
    for (const [a, b, c, expected] of golden.analogies) expectSame(ask.analogy(a, b, c, 5), expected)
  })

  it('rejects words without a vector, and returns 0 for a zero vector', () => {
    expect(() => ask.nearest('kign')).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_WORD', remedy: expect.stringContaining('king') }),
    )
    const zeros = similarity(wordVectors(['a', 'o'], 2, Float32Array.of(1, 1, 0, 0)))
    expect(zeros.between('a', 'o')).toBe(0)
    expect(zeros.nearest('o')).toEqual([{ word: 'a', cosine: 0 }])
    expect(zeros.nearest('a', 0)).toEqual([])
  })
})

describe('embeddingMatrix', () => {
  const tokens = ['[PAD]', 'king', 'Ġqueen', '▁man', '##ing', undefined, 'unheard']
  const tokenizer = { vocabularySize: 7, token: (id: number) => tokens[id], special: { pad: 0 } }
  const { matrix, found, missing } = embeddingMatrix(vectors, tokenizer, key(3))
  const row = (id: number): number[] => [...matrix.values.subarray(id * 6, id * 6 + 6)]

  it('has the vectors of known words, zeros for padding, and lists missing tokens', () => {
    expect(matrix).toMatchObject({ shape: [7, 6], dtype: 'float32' })
    expect(row(0)).toEqual([0, 0, 0, 0, 0, 0])
    for (const [id, word] of [
      [1, 'king'],
      [2, 'queen'],
      [3, 'man'],
    ] as const)
      // prettier-ignore
      expect(row(id)).toEqual([...vectorOf(vectors, word)])
    expect(missing).toEqual(['##ing', 'unheard'])
    expect(found).toEqual({ shape: [7], dtype: 'bool', values: Uint8Array.of(0, 1, 1, 1, 0, 0, 0) })
  })

  it('rejects a vocabulary of one token with a huge id', () => {
    const sparse = { vocabularySize: 4_000_001, token: (id: number) => (id === 4_000_000 ? 'king' : undefined) }
    expect(() => embeddingMatrix(vectors, { ...sparse, special: {} }, key(3))).toThrow(
      expect.objectContaining({ code: 'BAD_TOKENIZER', problem: expect.stringContaining('got 1 tokens') }),
    )
  })

  it('initializes the other rows with the root mean square of the vectors, by key', () => {
    const many = { vocabularySize: 2000, token: () => 'unheard', special: {} }
    const { values } = embeddingMatrix(vectors, many, key(3)).matrix
    const squares = (numbers: ArrayLike<number>) =>
      Array.from(numbers).reduce((sum, x) => sum + x * x, 0) / numbers.length
    expect(Math.sqrt(squares(values) / squares(golden.values))).toBeCloseTo(1, 1)
    expect(embeddingMatrix(vectors, many, key(3)).matrix.values).toEqual(values)
    expect(embeddingMatrix(vectors, many, key(4)).matrix.values).not.toEqual(values)
    expect(row(4).some((x) => x !== 0)).toBe(true)
  })
})
