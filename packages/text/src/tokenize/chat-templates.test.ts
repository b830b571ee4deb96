import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { tokenizerOf } from './tokenizer-of.js'

const json = { model: { type: 'WordLevel', unk_token: '[UNK]', vocab: { '[UNK]': 0 } } }
const kind = { name: 'words', type: 'WordLevel' } as const
const list = [
  { name: 'default', template: 'plain' },
  { name: 'tool_use', template: 'with tools' },
]
const both = { chatTemplate: 'plain', chatTemplates: { default: 'plain', tool_use: 'with tools' } }
const templates = ({ chatTemplate, chatTemplates }: ReturnType<typeof tokenizerOf>) => ({ chatTemplate, chatTemplates })

describe('chat_template in the configuration', () => {
  it.each([
    ['one', 'plain', { chatTemplate: 'plain' }],
    ['several with names', list, both],
    ['several by name', { default: 'plain', tool_use: 'with tools' }, both],
    ['none by default', [list[1]], { chatTemplates: { tool_use: 'with tools' } }],
    ['one that is listed', [list[0]], { chatTemplate: 'plain' }],
    ['no valid template', [null, 3, { name: 'default' }, { name: 3, template: 'x' }], {}],
    ['a number', 3, {}],
  ])('accepts %s', (_, template, expected) =>
    expect(templates(tokenizerOf({ json, config: { chat_template: template } }, kind))).toEqual(expected),
  )

  it('is saved unchanged', () =>
    expect(tokenizerOf({ json, config: { chat_template: list } }, kind).files()['tokenizer_config.json']).toEqual({
      chat_template: list,
    }))
})

describe('chat templates in separate files', () => {
  let folder: string
  const write = (name: string, content: string): void => writeFileSync(join(folder, name), content)
  const load = () => templates(tokenizerOf({ path: folder }, kind))
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'attune-chat-'))
    write('tokenizer.json', JSON.stringify(json))
    write('tokenizer_config.json', JSON.stringify({ chat_template: 'old' }))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('take precedence over the configuration', () => {
    expect(load()).toEqual({ chatTemplate: 'old' })
    write('chat_template.json', JSON.stringify({ chat_template: 'from json' }))
    expect(load()).toEqual({ chatTemplate: 'from json' })
    write('chat_template.jinja', 'plain')
    expect(load()).toEqual({ chatTemplate: 'plain' })
  })

  it('include named templates', () => {
    write('chat_template.jinja', 'plain')
    mkdirSync(join(folder, 'additional_chat_templates'))
    write('additional_chat_templates/tool_use.jinja', 'with tools')
    write('additional_chat_templates/notes.txt', 'no template')
    expect(load()).toEqual(both)
  })

  it('are ignored if they cannot be read', () => {
    write('chat_template.json', '{')
    expect(load()).toEqual({ chatTemplate: 'old' })
  })
})
