import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { type ChatOptions, type Message, renderChat } from './chat-template.js'

type Variables = Readonly<Record<string, unknown>>

const golden = JSON.parse(gunzipSync(readFileSync('golden/chat-families.json.gz')).toString()) as {
  readonly source: string
  readonly special: Variables
  readonly templates: Readonly<Record<string, string>>
  readonly talks: Readonly<Record<string, readonly Message[]>>
  readonly options: readonly Variables[]
  /** The rendered text; on failure, the error class in a list. */
  readonly cases: readonly (readonly [
    template: string,
    talk: string,
    options: number,
    text: string | readonly string[],
  ])[]
}

/** Converts options of `apply_chat_template` to those of {@link renderChat}. */
function optionsOf(options: Variables): ChatOptions {
  const { add_generation_prompt, continue_final_message, tools, documents, ...variables } = options
  return {
    addGenerationPrompt: add_generation_prompt === true,
    continueFinalMessage: continue_final_message === true,
    ...(tools === undefined ? {} : { tools: tools as readonly unknown[] }),
    ...(documents === undefined ? {} : { documents: documents as readonly unknown[] }),
    variables: { ...golden.special, ...variables },
  }
}

describe(`renderChat on templates of model families, compared with ${golden.source}`, () => {
  beforeAll(() => void jest.useFakeTimers({ now: new Date(2024, 1, 9, 15, 4, 7) }))
  afterAll(() => void jest.useRealTimers())

  it.each(Object.keys(golden.templates))('matches for each conversation and option set: %s', (name) => {
    const template = golden.templates[name]!
    const cases = golden.cases.filter(([each]) => each === name)
    expect(cases.some(([, , , text]) => typeof text === 'string')).toBe(true)
    for (const [, talk, at, text] of cases) {
      const render = () => renderChat(template, golden.talks[talk]!, optionsOf(golden.options[at]!)).text
      if (typeof text === 'string') expect({ talk, at, text: render() }).toEqual({ talk, at, text })
      else expect(render).toThrow(expect.objectContaining({ code: 'BAD_CHAT_TEMPLATE' }))
    }
  })
})
