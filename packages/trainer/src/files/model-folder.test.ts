import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { describeModel } from './model-folder.js'

const searchPaths = { folders: [fileURLToPath(new URL('../../../..', import.meta.url))] }
const golden = (name: string): unknown =>
  JSON.parse(gunzipSync(readFileSync(`../text/golden/${name}.json.gz`)).toString())
const { texts, cases } = golden('older-tokenizers') as {
  readonly texts: readonly string[]
  readonly cases: readonly {
    readonly name: string
    readonly files: Record<string, unknown>
    readonly ids: number[][]
  }[]
}

let folder: string
const write = (name: string, content: unknown): void => {
  const binary = (content as { base64?: string }).base64
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  writeFileSync(join(folder, name), binary === undefined ? text : Buffer.from(binary, 'base64'))
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('the tokenizer of describeModel', () => {
  it.each(['bert', 'roberta', 't5', 'llama', 'marian'])('reads the legacy tokenizer files of %s', async (name) => {
    const each = cases.find((one) => one.name === name)!
    for (const [file, content] of Object.entries(each.files)) write(file, content)
    const { encode } = await describeModel(folder).tokenizer(searchPaths)
    for (const [i, text] of texts.entries())
      if (/^[a-z ,]+$/.test(text)) expect([text, encode(text).ids]).toEqual([text, each.ids[i]])
  })

  it.each([
    ['gpt2', 'BPE'],
    ['t5', 'Unigram'],
    ['word-piece', 'WordPiece'],
    ['words', 'WordLevel'],
  ])('finds the plugin for %s if tokenizer.json omits the model type', async (name, type) => {
    const { tokenizer, encodings } = golden(`encodings-${name}`) as {
      tokenizer: { model: object }
      encodings: [number[]][]
    }
    const { type: said, ...model } = tokenizer.model as { type: string }
    expect(said).toBe(type)
    write('config.json', {})
    write('tokenizer.json', { ...tokenizer, model })
    const { encode } = await describeModel(folder).tokenizer(searchPaths)
    const hard = golden('hard-texts') as string[]
    for (const [i, text] of hard.slice(0, 40).entries()) expect(encode(text).ids).toEqual(encodings[i]![0])
  })

  it('throws if the tokenizer is missing or its type unknown', async () => {
    write('config.json', {})
    await expect(describeModel(folder).tokenizer(searchPaths)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    write('tokenizer.json', { model: { vocab: {} } })
    await expect(describeModel(folder).tokenizer(searchPaths)).rejects.toMatchObject({ code: 'BAD_TOKENIZER' })
  })
})
