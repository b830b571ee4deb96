import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Example } from '@attune/core'
import { memberNames, type TokenizerGolden, describeTokenizer } from '@attune/testkit'
import { bpe } from './bpe.js'

type Json = Record<string, unknown>
type Golden = TokenizerGolden & { readonly tokenizer: Json; readonly config: Json }
const read = (name: string): Golden => JSON.parse(readFileSync(`golden/rust-${name}.json`, 'utf8')) as Golden
const goldens = { gpt2: read('gpt2'), roberta: read('roberta'), llama3: read('llama3') }
const optionsOf = ({ tokenizer, config }: Golden) => ({ json: tokenizer, config })

for (const golden of Object.values(goldens))
  describeTokenizer(bpe, {
    options: optionsOf(golden),
    golden,
    reload: (files) => ({ json: files['tokenizer.json'], config: files['tokenizer_config.json'] }),
  })

describe('names of members of every object', () => {
  const names = memberNames
  const letters = [...new Set(names.join(''))]
  const tokenizer = bpe({
    json: {
      added_tokens: [],
      pre_tokenizer: { type: 'WhitespaceSplit' },
      model: {
        type: 'BPE',
        ignore_merges: true,
        merges: [],
        vocab: Object.fromEntries([...letters, ...names].map((token, id) => [token, id])),
      },
    },
    config: Object.fromEntries(names.map((name, i) => [name, i])),
  })

  it('are read as tokens, and saved', () => {
    const again = bpe({ json: tokenizer.files()['tokenizer.json'] as Json })
    for (const { encode } of [tokenizer, again])
      expect(encode(names.join(' ')).ids).toEqual(names.map((_, i) => letters.length + i))
  })

  it('are kept as settings of tokenizer_config.json', () => {
    const saved = tokenizer.files()['tokenizer_config.json'] as Json
    expect(names.map((name) => [name, Object.hasOwn(saved, name) && saved[name]])).toEqual(
      names.map((name, i) => [name, i]),
    )
  })
})

describe('special tokens', () => {
  it('are read from the configuration, as text or as an object', () => {
    expect(bpe(optionsOf(goldens.roberta)).special).toEqual({ begin: 0, pad: 1, end: 2, unknown: 3, mask: 4 })
    expect(bpe(optionsOf(goldens.llama3)).special).toEqual({ begin: 0, end: 1 })
    expect(bpe({ json: goldens.gpt2.tokenizer }).special).toEqual({})
  })

  it('are read together with the padding side and the chat template', () => {
    const { chatTemplate, paddingSide } = bpe(optionsOf(goldens.llama3))
    expect(chatTemplate).toContain('<|eot_id|>')
    expect(paddingSide).toBe('right')
    expect(bpe({ json: goldens.gpt2.tokenizer, config: { padding_side: 'left' } }).paddingSide).toBe('left')
  })
})

describe('loading a BPE tokenizer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bpe-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const refused = (problem: string) =>
    expect.objectContaining({ code: 'BAD_TOKENIZER', problem: expect.stringContaining(problem) })

  it('reads a folder with its configuration and a separate template file', () => {
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(goldens.llama3.tokenizer))
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(goldens.roberta.config))
    writeFileSync(join(folder, 'chat_template.jinja'), '{{ messages }}')
    expect(bpe({ path: folder }).chatTemplate).toBe('{{ messages }}')
  })

  it('rejects missing options, a missing file, and a file that is not JSON', () => {
    expect(() => bpe()).toThrow(expect.objectContaining({ code: 'NO_VOCABULARY' }))
    expect(() => bpe({ path: join(folder, 'none.json') })).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }))
    writeFileSync(join(folder, 'broken.json'), '{')
    expect(() => bpe({ path: join(folder, 'broken.json') })).toThrow(refused('broken.json'))
  })

  it('rejects another model type, BPE dropout, and an unknown regular expression', () => {
    const { tokenizer } = goldens.gpt2
    const changed = (change: Json): Json => ({ ...tokenizer, ...change })
    const model = tokenizer['model'] as Json
    expect(() => bpe({ json: changed({ model: { ...model, type: 'Unigram' } }) })).toThrow(refused('model.type'))
    expect(() => bpe({ json: changed({ model: { ...model, dropout: 0.1 } }) })).toThrow(refused('model.dropout'))
    const split = { type: 'Split', pattern: { Regex: '(?<=a)b' }, behavior: 'Isolated', invert: false }
    expect(() => bpe({ json: changed({ pre_tokenizer: split }) })).toThrow(refused('pre_tokenizer'))
  })
})

describe('training a BPE tokenizer', () => {
  async function* examples(): AsyncGenerator<Example> {
    for (const text of ['low lower lowest', 'new newer newest', 'wide wider widest'])
      yield await Promise.resolve({ text, target: 'others' })
  }
  const learn = (given: object = {}) => bpe.fit!(bpe.options.parse({ vocabularySize: 290, ...given }), examples)

  it('learns byte-level subwords without unknown tokens, and the end token', async () => {
    const learned = await learn()
    const tokenizer = bpe(learned)
    expect(tokenizer.vocabularySize).toBeLessThanOrEqual(290)
    expect(tokenizer.special).toMatchObject({ begin: 0, end: 0, pad: 0 })
    expect(tokenizer.encode(' lower newest').ids.length).toBeLessThan(8)
    for (const text of ['the lowest 汉字 👍🏽', ' two  spaces\n'])
      expect(tokenizer.decode(tokenizer.encode(text).ids)).toBe(text)
    expect(await bpe.fit!(bpe.options.parse(learned), examples)).toEqual(bpe.options.parse(learned))
  })

  it('learns from the messages of conversations, and keeps the given chat template', async () => {
    async function* chats(): AsyncGenerator<Example> {
      yield await Promise.resolve({
        messages: [
          { role: 'user', content: 'low low' },
          { from: 'gpt', value: 'lowest' },
        ],
      })
    }
    const config = { chat_template: '{{ messages[0].content }}' }
    const learned = await bpe.fit!(bpe.options.parse({ vocabularySize: 290, field: 'messages', config }), chats)
    const tokenizer = bpe(learned)
    expect(tokenizer.encode(' low').ids).toHaveLength(1)
    expect(tokenizer.chatTemplate).toBe(config.chat_template)
    expect(tokenizer.special).toMatchObject({ begin: 0, end: 0, pad: 0 })
  })

  it('reports the numbers of texts read and tokens learned', async () => {
    const reported: unknown[][] = []
    await bpe.fit!(bpe.options.parse({ vocabularySize: 260 }), examples, undefined, (...progress) =>
      reported.push(progress),
    )
    expect(reported[0]).toEqual(['texts read', 1])
    expect(reported.at(-1)).toEqual(['tokens learned', 260, 260])
  })

  it('reads the texts of several fields, and throws NO_TEXT if there are none', async () => {
    const both = bpe(await learn({ field: ['text', 'target'], minimumFrequency: 1 }))
    expect(both.encode('others').ids.length).toBeLessThan(bpe(await learn()).encode('others').ids.length)
    await expect(learn({ field: 'body' })).rejects.toMatchObject({ code: 'NO_TEXT' })
  })
})
