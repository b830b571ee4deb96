import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type Message, assistantMask, renderChat, renderSpokenChat } from './chat-template.js'

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
    const { assistant = [] } = rendered
    expect(assistant.map(([start, end]) => rendered.text.slice(start, end))).toEqual(each.spoken)
    expect(rendered.assistant === undefined).toBe(!template.includes('generation'))
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

  it('is refused where anything that it is given could forge where the assistant speaks', () => {
    const forged = '\ufdd0all\ufdd1'
    const template = '{{ messages[0].name }}{{ tools }}{{ bos_token }}'
    for (const [messages, options] of [
      [[{ role: 'user', content: 'x', name: forged }], {}],
      [[{ role: forged, content: 'x' }], {}],
      [[{ role: 'user', content: 'x', calls: [{ [forged]: 1 }] }], {}],
      [ask, { tools: [{ name: forged }] }],
      [ask, { variables: { bos_token: forged } }],
    ] as const)
      expect(() => renderChat(template, messages, options)).toThrow(refused('U+FDD0'))
    expect(() => renderChat(`{{ '${forged}' }}`, ask)).toThrow(refused('U+FDD0'))
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    expect(() => renderChat(template, [{ role: 'user', content: 'x', loop }])).toThrow(refused('no plain values'))
  })

  it('is refused where the template would never end', () =>
    expect(() => renderChat('{% for i in range(3000000000) %}{% endfor %}', ask)).toThrow(refused('counts')))

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

describe('what the assistant says, by a template without generation blocks', () => {
  const withoutBlocks = (template: string): string =>
    template.replace(
      /\{%(-?)\s*(end)?generation\s*(-?)%\}/g,
      (_, left: string, end: string | undefined, right: string) =>
        `{%${left} ${end === undefined ? 'if true' : 'endif'} ${right}%}`,
    )
  const spokenIn = (template: string, messages: readonly Message[]) => {
    const { text, assistant } = renderSpokenChat(template, messages, { variables })
    return assistant.map(([start, end]) => text.slice(start, end))
  }
  const chatml = golden.cases.filter(({ template }) => template.includes('<|im_start|>'))
  const stripped = golden.cases.filter(({ template }) => template.includes('[INST]'))

  it('is what transformers finds in blocks that hold whole turns', () => {
    for (const { template, messages, spoken } of stripped)
      expect(spokenIn(withoutBlocks(template), messages)).toEqual(spoken)
    expect(stripped.flatMap(({ spoken }) => spoken).length).toBeGreaterThan(2)
  })

  it('has what ends a turn in it, and not what begins one', () => {
    for (const { template, messages, spoken } of chatml)
      expect(spokenIn(withoutBlocks(template), messages).map((text) => text.trim())).toEqual(spoken)
    expect(chatml.flatMap(({ spoken }) => spoken).length).toBeGreaterThan(2)
  })

  it('is what blocks say where there are some', () => {
    for (const { template, messages, spoken } of chatml) expect(spokenIn(template, messages)).toEqual(spoken)
  })

  const unclear = (problem: string) =>
    expect.objectContaining({ code: 'CHAT_TURNS_UNCLEAR', problem: expect.stringContaining(problem) })
  const talk = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
    { role: 'user', content: 'c' },
    { role: 'assistant', content: 'd' },
  ]

  it('is refused where a turn is written otherwise when others follow', () => {
    const thinking = '{% for m in messages %}{{ m.role }}:{% if loop.last %}hm {% endif %}{{ m.content }}\n{% endfor %}'
    expect(() => spokenIn(thinking, talk)).toThrow(unclear('message 2'))
    expect(renderChat(thinking, talk).text).toContain('assistant:hm d')
    const prompted = '{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}A:{% endif %}'
    expect(() => spokenIn(prompted, talk)).toThrow(unclear('what an answer begins with'))
    const last = "{% if messages[-1].role == 'user' %}{{ raise_exception('no') }}{% endif %}{{ messages }}"
    expect(() => spokenIn(last, talk)).toThrow(unclear('refuses the first 1 of 4'))
  })
})
