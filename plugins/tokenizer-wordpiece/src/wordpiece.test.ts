import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Example } from '@attune/core'
import { memberNames, type TokenizerGolden, describeTokenizer } from '@attune/testkit'
import { wordpiece } from './wordpiece.js'

type Golden = TokenizerGolden & { readonly tokenizer: Record<string, unknown>; readonly corpus: readonly string[] }
const read = (name: string): Golden => JSON.parse(readFileSync(`golden/rust-${name}.json`, 'utf8')) as Golden
const [lowercase, cased] = [read('lowercase'), read('cased')]

describeTokenizer(wordpiece, { options: { json: lowercase.tokenizer }, golden: lowercase })
describeTokenizer(wordpiece, { options: { json: cased.tokenizer }, golden: cased })

const vocabularyOf = (content: unknown): string[] =>
  Object.entries((content as { model: { vocab: Record<string, number> } }).model.vocab)
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token)

async function* examplesOf(texts: readonly string[]): AsyncGenerator<Example> {
  for (const text of texts) {
    await Promise.resolve()
    yield { text }
  }
}

const train = async (texts: readonly string[], options: object = {}) =>
  (await wordpiece.fit!(wordpiece.options.parse({ vocabularySize: 1500, ...options }), () => examplesOf(texts))).json!

describe('training a WordPiece tokenizer', () => {
  it('learns the same vocabulary as the Rust library', async () => {
    const ours = vocabularyOf(await train(lowercase.corpus))
    const rust = vocabularyOf(lowercase.tokenizer)
    expect(ours).toHaveLength(rust.length)
    const known = new Set(rust)
    const others = ours.filter((token) => !known.has(token))
    // Among pairs of equal frequency the Rust library follows the order of a hash map. At the end of the vocabulary,
    // where frequencies are low, some of the last merges are such ties.
    expect(others.length).toBeLessThanOrEqual(0.02 * rust.length)
    expect(others.every((token) => ours.indexOf(token) > 0.5 * ours.length)).toBe(true)
  })

  it('is independent of the order of the examples', async () => {
    const once = await train(lowercase.corpus)
    expect(await train([...lowercase.corpus].reverse())).toEqual(once)
  })

  it('ignores pairs below the minimum frequency, and respects the vocabulary size', async () => {
    const few = vocabularyOf(await train(['aab aab abc'], { vocabularySize: 100, minimumFrequency: 3 }))
    expect(few).not.toContain('aab')
    expect(few).toContain('##b')
    expect(vocabularyOf(await train(lowercase.corpus, { vocabularySize: 300 }))).toHaveLength(300)
  })

  it('reports the numbers of texts read and tokens learned', async () => {
    const reported: unknown[][] = []
    const options = wordpiece.options.parse({ vocabularySize: 300 })
    const examples = () => examplesOf(lowercase.corpus)
    await wordpiece.fit!(options, examples, undefined, (...progress) => reported.push(progress))
    expect(reported[lowercase.corpus.length - 1]).toEqual(['texts read', lowercase.corpus.length])
    expect(reported.at(-1)).toEqual(['tokens learned', 300, 300])
  })

  it('returns options that have a vocabulary unchanged', async () => {
    const options = wordpiece.options.parse({ json: lowercase.tokenizer })
    expect(await wordpiece.fit!(options, () => examplesOf([]))).toBe(options)
  })

  it('throws NO_TEXT for examples without text', async () => {
    await expect(train([])).rejects.toMatchObject({ code: 'NO_TEXT' })
  })
})

describe('loading a WordPiece tokenizer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attune-wordpiece-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (name: string, content: unknown): string => {
    const path = join(folder, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const code = (options: object): unknown => {
    try {
      wordpiece(options)
    } catch (error) {
      return (error as { code?: string }).code
    }
    return 'none'
  }
  const changed = (change: object): object => ({ ...structuredClone(lowercase.tokenizer), ...change })
  const model = (change: object): object => ({ model: { ...(lowercase.tokenizer['model'] as object), ...change } })

  it('reads tokens with the names of properties that every object has', () => {
    const names = memberNames
    const vocab = Object.fromEntries(['[UNK]', ...names].map((token, id) => [token, id]))
    const path = file(
      'properties.json',
      JSON.stringify({
        model: { type: 'WordPiece', unk_token: '[UNK]', vocab },
        pre_tokenizer: { type: 'WhitespaceSplit' },
      }),
    )
    const read = wordpiece({ path })
    const saved = file('saved-properties.json', JSON.stringify(read.files()['tokenizer.json']))
    // tokenizers 0.23.3
    for (const { encode, decode } of [read, wordpiece({ path: saved })]) {
      expect(encode(names.join(' ')).ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      expect(decode([1, 2, 3, 4, 5, 6, 7, 8])).toBe(names.join(' '))
    }
  })

  it('reads a file, and a folder that holds one', () => {
    mkdirSync(join(folder, 'model'))
    writeFileSync(join(folder, 'model/tokenizer.json'), JSON.stringify(lowercase.tokenizer))
    const byFile = wordpiece({ path: join(folder, 'model/tokenizer.json') })
    expect(wordpiece({ path: join(folder, 'model') }).encode('abc def')).toEqual(byFile.encode('abc def'))
  })

  it.each([
    ['a missing vocabulary', {}, 'NO_VOCABULARY'],
    ['a missing file', { path: join(folder, 'none.json') }, 'FILE_NOT_FOUND'],
    ['a file that is not JSON', { path: file('a.json', '{"model":') }, 'BAD_TOKENIZER'],
    ['another model type', { json: changed({ model: { type: 'BPE', vocab: {}, merges: [] } }) }, 'BAD_TOKENIZER'],
    ['a vocabulary without the unknown token', { json: changed(model({ unk_token: '<nope>' })) }, 'BAD_TOKENIZER'],
    ['two tokens with one id', { json: changed(model({ vocab: { '[UNK]': 0, a: 1, b: 1 } })) }, 'BAD_TOKENIZER'],
    ['an id that is too large', { json: changed(model({ vocab: { '[UNK]': 0, a: 4e9 } })) }, 'BAD_TOKENIZER'],
    [
      'an unknown regular expression',
      { json: changed({ pre_tokenizer: { type: 'Split', pattern: { Regex: '(?<=a)b' }, behavior: 'Isolated' } }) },
      'BAD_TOKENIZER',
    ],
    [
      'an unknown regular expression inside a sequence',
      {
        json: changed({
          normalizer: {
            type: 'Sequence',
            normalizers: [{ type: 'Replace', pattern: { Regex: '(?<=a)b' }, content: '' }],
          },
        }),
      },
      'BAD_TOKENIZER',
    ],
  ])('rejects %s', (_, options, expected) => expect(code(options)).toBe(expected))
})
