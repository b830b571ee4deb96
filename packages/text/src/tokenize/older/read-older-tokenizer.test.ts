import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { modelTypeOf } from '../model-type.js'
import { readTokenizerFiles } from '../read-tokenizer-files.js'
import type { ModelFile } from '../schema.js'
import { tokenizerOf } from '../tokenizer-of.js'

interface Case {
  readonly name: string
  readonly files: Readonly<Record<string, unknown>>
  readonly class: string
  readonly ids: readonly number[][]
  readonly pairs: readonly number[][]
  readonly targets?: readonly number[][]
  readonly special: Readonly<Partial<Record<'pad' | 'unk' | 'mask', number>>>
}
const golden = JSON.parse(gunzipSync(readFileSync('golden/older-tokenizers.json.gz')).toString()) as {
  readonly source: string
  readonly texts: readonly string[]
  readonly pairs: readonly (readonly [string, string])[]
  readonly cases: readonly Case[]
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-older-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(files: Readonly<Record<string, unknown>>): void {
  for (const [name, content] of Object.entries(files)) {
    const binary = (content as { base64?: string }).base64
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(join(folder, name), binary === undefined ? text : Buffer.from(binary, 'base64'))
  }
}
const open = () => {
  const type = modelTypeOf(readTokenizerFiles(folder).json) as ModelFile['type']
  return tokenizerOf({ path: folder }, { name: type, type })
}
/** False for texts with ▁, which SentencePiece treats as a space and the tokenizers library does not. */
const isPlain = (text: string): boolean => !text.includes('▁')

describe.each(golden.cases.map((each) => [each.name, each] as const))(
  'tokenizer from older files: %s',
  (name, each) => {
    const compared = (found: (text: string) => boolean) =>
      golden.texts.map((text, i) => [text, i] as const).filter(([text]) => found(text))

    it(`matches the ids of ${golden.source}`, () => {
      write(each.files)
      const tokenizer = open()
      const cases = compared(name === 'marian' ? isPlain : () => true)
      for (const [text, i] of cases) expect([text, tokenizer.encode(text).ids]).toEqual([text, each.ids[i]])
      expect(cases.length).toBeGreaterThan(320)
      if (name !== 'marian')
        for (const [i, [text, pair]] of golden.pairs.entries())
          expect([text, pair, tokenizer.encode(text, { pair }).ids]).toEqual([text, pair, each.pairs[i]])
      const { pad, unknown, mask } = tokenizer.special
      for (const [role, id] of Object.entries(each.special))
        expect([role, { pad, unk: unknown, mask }[role]]).toEqual([role, id])
    })

    it('encodes the same when saved as a tokenizer.json', () => {
      write(each.files)
      const tokenizer = open()
      rmSync(folder, { recursive: true })
      folder = mkdtempSync(join(tmpdir(), 'attune-older-'))
      write(tokenizer.files())
      const saved = open()
      for (const text of golden.texts.slice(0, 100)) {
        expect(saved.encode(text)).toEqual(tokenizer.encode(text))
        expect(saved.target?.encode(text)).toEqual(tokenizer.target?.encode(text))
      }
      expect(saved.special).toEqual(tokenizer.special)
    })
  },
)

describe('Marian', () => {
  const each = golden.cases.find(({ name }) => name === 'marian')!

  it('tokenizes target texts by the SentencePiece model of the target language', () => {
    write(each.files)
    const { target, encode } = open()
    let different = 0
    for (const [i, text] of golden.texts.entries()) {
      if (!isPlain(text)) continue
      const { ids } = target!.encode(text)
      expect([text, ids]).toEqual([text, each.targets![i]])
      if (encode(text).ids.join() !== ids.join()) different++
    }
    expect(different).toBeGreaterThan(200)
  })

  it('takes a language code as a token', () => {
    write(each.files)
    const { encode, token } = open()
    expect(
      encode('>>deu<< hello')
        .ids.map((id) => token(id))
        .slice(0, 1),
    ).toEqual(['>>deu<<'])
    expect(encode('>>deu<< hello').ids.slice(1)).toEqual(encode('hello').ids)
  })
})

describe('invalid older files', () => {
  const refused = (problem: string) =>
    expect.objectContaining({ code: 'BAD_TOKENIZER', problem: expect.stringContaining(problem) })
  const modelOf = (name: string): Buffer =>
    Buffer.from(
      (golden.cases.find((each) => each.name === name)!.files['spiece.model'] as { base64: string }).base64,
      'base64',
    )

  it('are rejected with a reason', () => {
    const [roberta] = golden.cases.filter(({ name }) => name === 'roberta')
    for (const [files, problem] of [
      [{ 'vocab.txt': 'a\nb\n' }, 'no [UNK]'],
      [{ 'vocab.json': '{', 'merges.txt': '' }, 'vocab.json'],
      [{ 'vocab.json': { a: 'b' }, 'merges.txt': '' }, 'token ids'],
      [{ ...roberta!.files, 'merges.txt': 'a b c\n' }, 'a pair'],
      [{ 'spiece.model': '', 'config.json': { model_type: 't5' } }, 'vocabulary is empty'],
      [
        { 'spiece.model': { base64: modelOf('albert').toString('base64') }, 'config.json': { model_type: 'newt' } },
        'newt',
      ],
      [
        { 'source.spm': '', 'target.spm': '', 'vocab.json': {}, 'tokenizer_config.json': { separate_vocabs: true } },
        'separate vocabularies',
      ],
    ] as const) {
      write(files)
      expect(() => readTokenizerFiles(folder)).toThrow(refused(problem))
      rmSync(folder, { recursive: true })
      folder = mkdtempSync(join(tmpdir(), 'attune-older-'))
    }
    expect(() => readTokenizerFiles(folder)).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }))
  })

  it('throw only BAD_TOKENIZER for a SentencePiece file that is truncated or corrupted at any position', () => {
    const bytes = modelOf('albert')
    write({ 'config.json': { model_type: 'albert' } })
    const opened = (content: Uint8Array): void => {
      writeFileSync(join(folder, 'spiece.model'), content)
      try {
        open()
      } catch (error) {
        expect(error).toEqual(expect.objectContaining({ code: 'BAD_TOKENIZER' }))
      }
    }
    for (let size = 0; size < bytes.length; size += 97) opened(bytes.subarray(0, size))
    for (let at = 0; at < bytes.length; at += 53) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at]! * 7 + 91) & 255
      opened(changed)
    }
  })
})
