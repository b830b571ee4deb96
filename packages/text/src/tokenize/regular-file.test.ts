import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readTokenizerFiles } from './read-tokenizer-files.js'

const json = { model: { type: 'WordLevel', unk_token: '?', vocab: { '?': 0 } } }
const refused = (problem: string) =>
  expect.objectContaining({ code: 'BAD_TOKENIZER', problem: expect.stringContaining(problem) })
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-text-'))
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json))
})
afterEach(() => rmSync(folder, { recursive: true }))

const pipe = (name: string): void => {
  rmSync(join(folder, name), { force: true })
  expect(spawnSync('mkfifo', [join(folder, name)]).status).toBe(0)
}

describe('readTokenizerFiles', () => {
  it.each(['tokenizer.json', 'tokenizer_config.json', 'target_tokenizer.json'])('rejects a pipe as %s', (name) => {
    pipe(name)
    expect(() => readTokenizerFiles(folder)).toThrow(refused(', not a file'))
  })

  it.each(['vocab.txt', 'spiece.model', 'special_tokens_map.json', 'config.json'])(
    'rejects a pipe as %s of an older checkpoint',
    (name) => {
      rmSync(join(folder, 'tokenizer.json'))
      writeFileSync(join(folder, 'vocab.txt'), '[UNK]\na\n')
      pipe(name)
      expect(() => readTokenizerFiles(folder)).toThrow(refused(', not a file'))
    },
  )

  it('ignores a pipe as a chat template', () => {
    pipe('chat_template.jinja')
    pipe('chat_template.json')
    expect(readTokenizerFiles(folder)).toMatchObject({ json, config: {} })
  })

  it('rejects too many chat templates', () => {
    const more = join(folder, 'additional_chat_templates')
    mkdirSync(more)
    for (let i = 0; i < 101; i++) writeFileSync(join(more, `${i}.jinja`), 'a')
    expect(() => readTokenizerFiles(folder)).toThrow(refused('chat templates'))
  })

  it('rejects deeply nested JSON', () => {
    for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
      writeFileSync(join(folder, name), `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`)
      expect(() => readTokenizerFiles(folder)).toThrow(refused('nested more than'))
    }
  })

  it('rejects a device and a link to another folder', () => {
    symlinkSync('/dev/zero', join(folder, 'tokenizer_config.json'))
    expect(() => readTokenizerFiles(folder)).toThrow(refused('tokenizer_config.json'))
  })
})
