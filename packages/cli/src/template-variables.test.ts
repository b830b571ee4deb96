import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from '@jest/globals'
import { TOKENIZER, type Tokenizer, fileName } from '@attune/core'
import { findInstalled } from '@attune/resolve'
import { renderChat, templateVariables } from '@attune/text'
import { searchPathsFrom } from './search-paths.js'

const path = fileURLToPath(new URL('../golden/template-variables.json', import.meta.url))
const { source, template, tokenizer, cases } = JSON.parse(readFileSync(path, 'utf8')) as {
  readonly source: string
  readonly template: string
  readonly tokenizer: Readonly<Record<string, unknown>>
  readonly cases: Readonly<Record<string, { readonly config: object; readonly text: string }>>
}

it.each(Object.keys(cases))(`templateVariables defines the special tokens of ${source}: %s`, async (name) => {
  const { config, text } = cases[name]!
  const { plugin } = await findInstalled(TOKENIZER, fileName('bpe'), searchPathsFrom())
  const variables = templateVariables(plugin({ json: tokenizer, config }) as Tokenizer)
  expect(renderChat(template, [{ role: 'user', content: 'a' }], { variables }).text).toBe(text)
})
