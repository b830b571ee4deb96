import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type Message, assistantMask, renderChat } from './chat-template.js'

const golden = JSON.parse(readFileSync('golden/transformers-chat.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly {
    readonly template: string
    readonly messages: readonly Message[]
    readonly addGenerationPrompt: boolean
    readonly tools: readonly unknown[] | null
    readonly text: string
    readonly spoken: readonly string[]
  }[]
}
const variables = { bos_token: '<s>', eos_token: '</s>' }

describe(`a conversation as ${golden.source} renders it`, () => {
  it.each(golden.cases.map((each, i) => [i + 1, each] as const))('case %p', (_, each) => {
    const { template, messages, addGenerationPrompt, tools } = each
    const rendered = renderChat(template, messages, {
      addGenerationPrompt,
      variables,
      ...(tools === null ? {} : { tools }),
    })
    expect(rendered.text).toBe(each.text)
    expect(rendered.assistant.map(([start, end]) => rendered.text.slice(start, end))).toEqual(each.spoken)
  })
})

describe('a conversation', () => {
  const ask = [{ role: 'user', content: 'x' }]
  const refused = (problem: string) =>
    expect.objectContaining({ code: 'BAD_CHAT_TEMPLATE', problem: expect.stringContaining(problem) })

  it('is refused with what the template says of it, and a template that is none, or too long', () => {
    expect(() => renderChat("{{ raise_exception('no system here') }}", ask)).toThrow(refused('no system here'))
    expect(() => renderChat('{% for %}', ask)).toThrow(refused('could not be applied'))
    expect(() => renderChat('x'.repeat(200_001), ask)).toThrow(refused('200001'))
    expect(() => renderChat('{{ messages }}', [{ role: 'user', content: 'a\ufdd0b' }])).toThrow(refused('U+FDD0'))
  })

  it('has a mask over its tokens: 1 where the assistant speaks', () => {
    const rendered = { text: 'U: a A: bc!', assistant: [[8, 11]] as const }
    const offsets = [
      [0, 2],
      [2, 4],
      [5, 7],
      [7, 10],
      [8, 10],
      [10, 11],
      [0, 0],
    ] as const
    expect(assistantMask(rendered, offsets)).toEqual([0, 0, 0, 0, 1, 1, 0])
  })
})
