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

describe(`renderChat compared with ${golden.source}`, () => {
  it.each(golden.cases.map((each, i) => [i + 1, each] as const))('matches case %p', (_, each) => {
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

describe('renderChat', () => {
  const ask = [{ role: 'user', content: 'x' }]
  const refused = (problem: string) =>
    expect.objectContaining({ code: 'BAD_CHAT_TEMPLATE', problem: expect.stringContaining(problem) })

  it('throws on raise_exception, a syntax error, and a template that is too long', () => {
    expect(() => renderChat("{{ raise_exception('no system here') }}", ask)).toThrow(refused('no system here'))
    expect(() => renderChat('{% for %}', ask)).toThrow(refused('could not be applied'))
    expect(() => renderChat('x'.repeat(200_001), ask)).toThrow(refused('200001'))
  })

  it('throws for an empty conversation, like transformers', () => {
    expect(() => renderChat('hello', [])).toThrow(refused('at least one message'))
  })

  it('returns None for a key whose value is null, not the default', () => {
    const tool = { type: 'object', properties: { unit: { type: 'string', default: null } } }
    const template =
      "{% for name, field in tools[0].properties.items() %}{{ field.get('default', 'no default') }}{% endfor %}"
    expect(renderChat(template, ask, { tools: [tool] }).text).toBe('None')
  })

  it('returns each item of a loop that looks ahead to null items', () => {
    const messages = [{ role: 'user', content: 'x', parts: [1, null, 2, null, 3] }]
    const template =
      '{% for x in messages[0].parts %}{{ x }}{{ "," if loop.nextitem is defined and not loop.last }}{% endfor %}'
    expect(renderChat(template, messages).text).toBe('1,None,2,None,3')
  })

  it('reports the line of the template that failed', () => {
    expect(() => renderChat('a\n{% if true %}\n{{ nothing.here }}\n{% endif %}', ask)).toThrow(refused('line 3 of'))
    expect(() => renderChat('a\nb {{ 1 + }}', ask)).toThrow(refused('line 2 of'))
    expect(() => renderChat("{{ 'a'\n+ 1 }}", ask)).toThrow(refused('use ~ instead of +'))
  })

  it('accepts any character without shifting the assistant spans', () => {
    const odd = '\ufdd0all\ufdd1'
    const template =
      "{{ messages[0].name }}{% generation %}{{ '\ufdd1' }}{% endgeneration %}{{ tools }}{{ messages[0][bos_token] }}"
    const messages = [{ role: 'user', content: 'x', name: odd, [odd]: odd }]
    const { text, assistant } = renderChat(template, messages, { tools: [odd], variables: { bos_token: odd } })
    expect(text).toBe(`${odd}\ufdd1['\\ufdd0all\\ufdd1']${odd}`)
    expect(assistant).toEqual([[5, 6]])
  })

  it('rejects cyclic values and functions', () => {
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    expect(() => renderChat('x', [{ role: 'user', content: 'x', loop }])).toThrow(refused('contains itself'))
    expect(() => renderChat('x', ask, { variables: { f: () => 1 } })).toThrow(refused('got a function'))
  })

  it('passes none for absent tools and documents, and leaves other variables undefined', () => {
    const template =
      '{{ tools is none }} {{ documents is none }} {{ bos_token is defined }} {{ add_generation_prompt }}'
    expect(renderChat(template, ask).text).toBe('True True False False')
    const options = {
      tools: [1],
      documents: [{ title: 'T' }],
      addGenerationPrompt: true,
      variables: { bos_token: '<s>' },
    }
    expect(
      renderChat('{{ tools }}{{ documents[0].title }}{{ bos_token }}{{ add_generation_prompt }}', ask, options).text,
    ).toBe('[1]T<s>True')
  })

  it('drops null fields of messages and copies reasoning to every known name, like transformers', () => {
    const messages = [{ role: 'assistant', content: 'x', tool_calls: null, reasoning: 'r' }]
    expect(renderChat('{{ messages }}', messages).text).toBe(
      "[{'thinking': 'r', 'role': 'assistant', 'content': 'x', 'reasoning': 'r', 'reasoning_content': 'r'}]",
    )
  })

  it('exposes no JavaScript properties of messages', () => {
    const message = JSON.parse('{"role": "user", "content": "x", "__proto__": {"a": 1}, "constructor": 2}') as Message
    const of = (template: string): string => renderChat(template, [message]).text
    expect(of("{{ messages[0]['__proto__'] }} {{ messages[0].constructor }}")).toBe("{'a': 1} 2")
    expect(
      of('{{ messages[0].toString }}|{{ messages[0].hasOwnProperty }}|{{ messages.length }}|{{ messages.map }}'),
    ).toBe('|||')
    expect(of("{{ ''.constructor is defined }}{{ [].__proto__ is defined }}{{ range.prototype is defined }}")).toBe(
      'FalseFalseFalse',
    )
    expect(() => of('{{ messages[0].toString() }}')).toThrow(refused("has no attribute 'toString'"))
  })

  it('ends within the last message when continuing it', () => {
    const template = '{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</s>{% endfor %}'
    const messages = [...ask, { role: 'assistant', content: 'So far ' }]
    expect(renderChat(template, messages, { continueFinalMessage: true }).text).toBe('<user>x</s><assistant>So far')
    const both = { continueFinalMessage: true, addGenerationPrompt: true }
    expect(() => renderChat(template, messages, both)).toThrow(refused('got both'))
    expect(() => renderChat('none', messages, { continueFinalMessage: true })).toThrow(refused('leaves out'))
  })

  it('rejects a template that would never end', () =>
    expect(() => renderChat('{% for i in range(3000000000) %}{% endfor %}', ask)).toThrow(
      refused('expected at most 100000'),
    ))

  it('assistantMask is 1 for tokens that begin in an assistant span', () => {
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

describe('renderSpokenChat on a template without generation blocks', () => {
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

  it('matches transformers on blocks that hold whole turns', () => {
    for (const { template, messages, spoken } of stripped)
      expect(spokenIn(withoutBlocks(template), messages)).toEqual(spoken)
    expect(stripped.flatMap(({ spoken }) => spoken).length).toBeGreaterThan(2)
  })

  it('includes the end-of-turn tokens and excludes the generation prompt', () => {
    for (const { template, messages, spoken } of chatml)
      expect(spokenIn(withoutBlocks(template), messages).map((text) => text.trim())).toEqual(spoken)
    expect(chatml.flatMap(({ spoken }) => spoken).length).toBeGreaterThan(2)
  })

  it('uses generation blocks where the template has them', () => {
    for (const { template, messages, spoken } of chatml) expect(spokenIn(template, messages)).toEqual(spoken)
  })

  it('finds generation blocks in macros, calls and recursive loops', () => {
    const template =
      '{% macro turn(m) %}<{{ m.role }}>{% generation %}{{ m.content }}{% endgeneration %}</s>{% endmacro %}' +
      '{% for m in messages recursive %}{{ turn(m) }}{% if m.more %}{{ loop(m.more) }}{% endif %}{% endfor %}'
    const more = [{ role: 'assistant', content: 'b' }]
    expect(spokenIn(template, [{ role: 'assistant', content: 'a', more }])).toEqual(['a', 'b'])
  })

  const unclear = (problem: string) =>
    expect.objectContaining({ code: 'CHAT_TURNS_UNCLEAR', problem: expect.stringContaining(problem) })
  const talk = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
    { role: 'user', content: 'c' },
    { role: 'assistant', content: 'd' },
  ]

  it('rejects a conversation that takes too many steps', () => {
    const slow = '{% for m in messages %}{{ m.content }}{% for i in range(8000) %}{% endfor %}{% endfor %}'
    const long = Array.from({ length: 400 }, (_, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content: 'x' }))
    expect(() => spokenIn(slow, long.slice(0, 40))).toThrow(unclear('steps of work'))
    const quick = '{% for m in messages %}{{ m.content }}{% endfor %}'
    expect(spokenIn(quick, long)).toHaveLength(200)
  })

  it('rejects a template that renders a turn differently when others follow', () => {
    const thinking = '{% for m in messages %}{{ m.role }}:{% if loop.last %}hm {% endif %}{{ m.content }}\n{% endfor %}'
    expect(() => spokenIn(thinking, talk)).toThrow(unclear('message 2'))
    expect(renderChat(thinking, talk).text).toContain('assistant:hm d')
    const prompted = '{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}A:{% endif %}'
    expect(() => spokenIn(prompted, talk)).toThrow(unclear('the generation prompt'))
    const last = "{% if messages[-1].role == 'user' %}{{ raise_exception('no') }}{% endif %}{{ messages }}"
    expect(() => spokenIn(last, talk)).toThrow(unclear('refuses the first 1 of 4'))
    const hidden = '{% set x %}{% generation %}a{% endgeneration %}{% endset %}{{ x | upper }}'
    expect(() => spokenIn(hidden, talk)).toThrow(unclear('set or filter block'))
    expect(renderChat(hidden, talk)).toEqual({ text: 'A' })
  })
})
