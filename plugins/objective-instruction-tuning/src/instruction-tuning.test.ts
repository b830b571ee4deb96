import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { type Example, type Tokenizer, key } from '@attune/core'
import { describeObjective, tinyModel, tinyTokenizer } from '@attune/testkit'
import { instructionTuning } from './instruction-tuning.js'

/** The template `<role>content;` for each message; the assistant's turn begins after its role. */
const TEMPLATE =
  '{% for m in messages %}[{{ m.role[0] }}]{{ m.content }};{% endfor %}{% if add_generation_prompt %}[a]{% endif %}'
const letters = tinyTokenizer()
/** The tiny tokenizer with a chat template; without special tokens where these are not wanted. */
const tiny: Tokenizer = {
  ...letters,
  chatTemplate: TEMPLATE,
  encode(text, { maximumLength = Infinity, ...options } = {}) {
    if (options.addSpecialTokens !== false) return letters.encode(text, { maximumLength, ...options })
    const encoding = letters.encode(text, { ...options, maximumLength: maximumLength + 2 })
    return {
      ids: encoding.ids.slice(1, -1),
      typeIds: encoding.typeIds.slice(1, -1),
      truncated: encoding.truncated,
      ...(encoding.offsets === undefined ? {} : { offsets: encoding.offsets.slice(1, -1) }),
    }
  },
}
const user = (content: string) => ({ role: 'user', content })
const assistant = (content: string, rest: object = {}) => ({ role: 'assistant', content, ...rest })
const system = { role: 'system', content: 'be kind' }

const examples: readonly Example[] = [
  { messages: [user('hi'), assistant('hello')] },
  { messages: [user('a'), assistant('b'), user('c'), assistant('d')] },
  { prompt: 'two is ', completion: 'four' },
  { instruction: 'sum', input: '1 2', output: '3' },
  {
    conversations: [
      { from: 'human', value: 'x' },
      { from: 'gpt', value: 'y' },
    ],
  },
  { prompt: [user('p')], completion: [assistant('q')] },
  { messages: [user('w'), assistant('n', { train: false }), assistant('yes')] },
]

const given = { model: tinyModel(), tokenizer: tiny }
/** The model with room for longer conversations; these tests do not run it. */
const roomy = { model: { ...tinyModel(), maximumLength: 70 }, tokenizer: tiny }
describeObjective(instructionTuning, { given, references: [], examples })
describeObjective(instructionTuning, { given, options: { packTo: 24 }, references: [], examples })

type Read = { readonly ids: readonly number[]; readonly trained: readonly number[]; readonly truncated: boolean }
const read = (example: Example, options = {}, tokenizer: Tokenizer = tiny) =>
  instructionTuning(options, { ...roomy, tokenizer }).encode(example) as unknown as Read
const trainedText = (example: Example, options = {}): string => {
  const { ids, trained } = read(example, options)
  return ids.flatMap((id, i) => (trained[i] === 1 ? [tiny.token(id)] : [])).join('')
}
const withSystem = { messages: [system, ...(examples[1]!['messages'] as object[])] }
const code = (code: string) => expect.objectContaining({ code }) as never

describe('what trains', () => {
  it('is each turn of the assistant with its end, and nothing else', () => {
    expect(trainedText(examples[0]!)).toBe('hello;')
    expect(trainedText(examples[1]!)).toBe('b;d;')
    expect(trainedText(examples[3]!)).toBe('3;')
    expect(trainedText(examples[4]!)).toBe('y;')
    expect(trainedText(examples[5]!)).toBe('q;')
  })

  it('is the completion of a plain prompt, with the end token', () => {
    expect(trainedText(examples[2]!)).toBe('four[end]')
  })

  it('is decided by role, by message and by span', () => {
    expect(trainedText(withSystem, { trainOn: ['user'] })).toBe('[u]a;[u]c;')
    expect(trainedText(withSystem, { trainOn: ['system', 'assistant'] })).toBe('[s]be kind;b;d;')
    expect(trainedText(examples[6]!)).toBe('yes;')
    expect(
      trainedText({
        messages: [
          user('a'),
          assistant('one two three', {
            train: [
              [0, 3],
              [8, 13],
            ],
          }),
        ],
      }),
    ).toBe('onethree')
  })

  it('is the target and the weight of the position before', () => {
    const objective = instructionTuning({ padToMultipleOf: 1 }, roomy)
    const items = [examples[0]!, examples[2]!].map((each) => objective.encode(each))
    const { targets, weights } = objective.collate(items) as never as Record<
      string,
      { values: number[]; shape: number[] }
    >
    const length = targets!.shape[1]!
    const of = (row: number) =>
      [...targets!.values]
        .slice(row * length, (row + 1) * length)
        .flatMap((id, i) => (weights!.values[row * length + i] === 1 ? [tiny.token(id)] : []))
        .join('')
    expect([of(0), of(1)]).toEqual(['hello;', 'four[end]'])
    expect(objective.reference(items[0]!)).toEqual({ tokens: [...'hello;'] })
  })
})

describe('rows that do not fit', () => {
  it.each([
    ['an answer that is cut off', { messages: [user('a'.repeat(70)), assistant('b')] }, 'NO_TRAINED_TOKENS'],
    ['no answer', { messages: [user('a')] }, 'NO_TRAINED_TOKENS'],
    ['another layout', { text: 'a' }, 'MISSING_FIELD'],
    ['an empty list', { messages: [] }, 'MISSING_FIELD'],
    ['a message without a role', { messages: [{ content: 'a' }] }, 'MISSING_FIELD'],
    ['an unknown ShareGPT role', { conversations: [{ from: '__proto__', value: 'a' }] }, 'MISSING_FIELD'],
    ['a span beyond the content', { messages: [user('a'), assistant('b', { train: [[0, 2]] })] }, 'BAD_ROW'],
    ['a span that is empty', { messages: [user('a'), assistant('b', { train: [[0, 0]] })] }, 'BAD_ROW'],
  ])('are refused: %s', (_, example, wanted) => {
    expect(() => read(example as Example)).toThrow(code(wanted))
  })

  it('are counted by the answers that are truncated entirely', () => {
    const lost = (messages: readonly object[]): unknown => (read({ messages }) as { lostSpans?: number }).lostSpans
    expect(lost([user('a'), assistant('b'), user('c'.repeat(70)), assistant('d'), user('e'), assistant('f')])).toBe(2)
    expect(lost([user('a'), assistant('b'.repeat(90))])).toBeUndefined()
  })

  it('are conversations without a chat template', () => {
    expect(() => read(examples[0]!, {}, tinyTokenizer())).toThrow(code('NO_CHAT_TEMPLATE'))
    expect(read(examples[2]!, {}, tinyTokenizer()).ids.length).toBeGreaterThan(0)
  })

  it('are read without an answer for prediction', () => {
    const objective = instructionTuning({}, given)
    expect(objective.encodeUnlabelled({ messages: [user('a')] }).length).toBe(5)
  })
})

/** A tokenizer with one token for each UTF-16 unit, and the special tokens as variables of templates. */
const units = (chatTemplate: string, variables: Readonly<Record<string, string>>): Tokenizer => ({
  ...tinyTokenizer(),
  chatTemplate,
  encode: (text) => ({
    ids: Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)),
    typeIds: [],
    truncated: false,
    offsets: Array.from({ length: text.length }, (_, i) => [i, i + 1] as const),
  }),
  files: () => ({ 'tokenizer_config.json': variables }),
})

type Golden = {
  readonly source: string
  readonly variables: Readonly<Record<string, string>>
  readonly cases: readonly {
    readonly name: string
    readonly template: string
    /** The template of a model, without generation blocks, that trl replaces by `template`. */
    readonly public: string
    readonly chats: readonly { name: string; messages: readonly object[]; text: string; mask: string }[]
  }[]
}
const golden = JSON.parse(
  gunzipSync(readFileSync(new URL('../golden/chat-masks.json.gz', import.meta.url))).toString(),
) as Golden

describe(`masks of ${golden.source}`, () => {
  const model = { ...tinyModel(), maximumLength: 100_000 }
  it.each(
    golden.cases.flatMap(({ name, template, public: ofModel, chats }) =>
      chats.flatMap((chat) => [
        { at: `${name}, ${chat.name}`, template, ...chat },
        { at: `the public template of ${name}, ${chat.name}`, template: ofModel, ...chat },
      ]),
    ),
  )('are equal: $at', ({ template, messages, text, mask }) => {
    const { ids, trained } = instructionTuning({}, { model, tokenizer: units(template, golden.variables) }).encode({
      messages,
    }) as unknown as Read
    expect(String.fromCharCode(...ids)).toBe(text)
    expect(trained.join('')).toBe(mask)
  })

  it('cover at least twenty public templates, which have no generation blocks', () => {
    const unmarked = golden.cases.filter((each) => !/\{%-?\s*generation/.test(each.public))
    expect(unmarked.length).toBeGreaterThanOrEqual(20)
  })
})

it('initializes an own head where the model has none tied', () => {
  expect(Object.keys(instructionTuning({}, given).init(key(1))).length).toBeLessThanOrEqual(1)
})
