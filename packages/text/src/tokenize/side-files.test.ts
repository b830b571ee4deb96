import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { modelTypeOf } from './model-type.js'
import { readTokenizerFiles } from './read-tokenizer-files.js'
import type { ModelFile } from './schema.js'
import { tokenizerOf } from './tokenizer-of.js'

interface Case {
  readonly name: string
  readonly files: Readonly<Record<string, unknown>>
  readonly ids: readonly number[][]
  readonly decoded: readonly string[]
  readonly size: number
  readonly special: Readonly<Record<string, number>>
  readonly paddingSide: string
  readonly truncationSide: string
}
const golden = JSON.parse(gunzipSync(readFileSync('golden/tokenizer-side-files.json.gz')).toString()) as {
  readonly source: string
  readonly texts: readonly string[]
  readonly cases: readonly Case[]
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-sides-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function open(files: Readonly<Record<string, unknown>>) {
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  const type = modelTypeOf(readTokenizerFiles(folder).json) as ModelFile['type']
  return tokenizerOf({ path: folder }, { name: type, type })
}

describe(`files beside a tokenizer.json, as read by ${golden.source}`, () => {
  it.each(golden.cases.map((each) => [each.name, each] as const))('are applied: %s', (_, each) => {
    const tokenizer = open(each.files)
    expect(golden.texts.map((text) => [text, tokenizer.encode(text).ids])).toEqual(
      golden.texts.map((text, i) => [text, each.ids[i]]),
    )
    expect(each.ids.map((ids) => tokenizer.decode(ids))).toEqual(each.decoded)
    expect(tokenizer.vocabularySize).toBe(each.size)
    const { bos, eos, unk, pad, mask } = each.special
    const named = { begin: bos, end: eos, unknown: unk, pad, mask }
    for (const [role, id] of Object.entries(named))
      if (id !== undefined) expect(tokenizer.special).toMatchObject({ [role]: id })
    expect(tokenizer).toMatchObject({ paddingSide: each.paddingSide, truncationSide: each.truncationSide })
  })

  it.each(golden.cases.map((each) => [each.name, each] as const))('are saved: %s', (_, each) => {
    const saved = open(each.files).files()
    rmSync(folder, { recursive: true })
    folder = mkdtempSync(join(tmpdir(), 'attune-sides-'))
    const tokenizer = open(saved)
    expect(golden.texts.map((text) => tokenizer.encode(text).ids)).toEqual(each.ids)
    expect(tokenizer.vocabularySize).toBe(each.size)
  })

  it('are rejected with a reason', () => {
    const { files } = golden.cases[0]!
    const refused = (problem: string) =>
      expect.objectContaining({ code: 'BAD_TOKENIZER', problem: expect.stringContaining(problem) })
    const config = (content: unknown) => ({ ...files, 'tokenizer_config.json': content })
    expect(() => open(config({ added_tokens_decoder: { '28': { special: true } } }))).toThrow(refused('decoder.28'))
    expect(() => open(config({ added_tokens_decoder: { x: { content: 'a' } } }))).toThrow(refused('decoder.x'))
    expect(() => open(config({ added_tokens_decoder: [] }))).toThrow(refused('added_tokens_decoder'))
    expect(() => open({ ...config({}), 'added_tokens.json': { a: 'b' } })).toThrow(refused('added_tokens.json: a'))
    expect(() => open({ ...config({}), 'special_tokens_map.json': [] })).toThrow(refused('special_tokens_map.json'))
  })
})
