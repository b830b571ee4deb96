// @ts-check
/** Chat templates, from models and generated from the Jinja grammar, with conversations. */
import { renderChat, renderSpokenChat } from '@attune/text'
import { parsedContainer } from '../mutate-json.mjs'
import { changedInput } from '../mutate.mjs'
import { pick } from '../random.mjs'
import { goldenJson } from '../seeds.mjs'
import { madeTemplate } from '../templates.mjs'

/** @import { Message } from '@attune/text' */
/** @import { Input } from '../input.mjs' */
/** @import { Target } from '../target.mjs' */

const CONVERSATION = JSON.stringify([
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: 'Hi 👋 there' },
])

/** @returns {Input[]} */
function seeds() {
  const cases = goldenJson('text/golden/transformers-chat.json').cases.filter(
    (/** @type {any} */ each) => each.text !== null,
  )
  return cases.map((/** @type {any} */ { template, messages, addGenerationPrompt, tools }) => ({
    template,
    messages: JSON.stringify(messages),
    options: JSON.stringify({ addGenerationPrompt, ...(tools === null ? {} : { tools }) }),
  }))
}

/** The messages of an input; a value that is not a list of objects becomes the content of a message. @param {Input} input @returns {Message[]} */
function messagesOf({ messages = '' }) {
  const parsed = parsedContainer(String(messages))
  const isList = Array.isArray(parsed) && parsed.every((each) => each !== null && typeof each === 'object')
  return isList ? parsed : [{ role: 'user', content: String(messages) }]
}

/** @param {Input} input */
const optionsOf = ({ options = '{}' }) => {
  const { addGenerationPrompt = false, tools } = parsedContainer(String(options)) ?? {}
  const variables = { bos_token: '<s>', eos_token: '</s>' }
  return { addGenerationPrompt: addGenerationPrompt === true, variables, ...(Array.isArray(tools) ? { tools } : {}) }
}

/** @returns {Target[]} */
export function targets() {
  const valid = seeds()
  const render = (/** @type {Input} */ input) =>
    void renderChat(String(input.template), messagesOf(input), optionsOf(input))
  return [
    { name: 'chat template', valid, read: render },
    {
      name: 'chat template, made by grammar',
      valid: [{ template: '{{ bos_token }}', messages: CONVERSATION, options: '{}' }],
      make: (random) => {
        const input = { template: madeTemplate(random), messages: pick(valid, random).messages ?? '', options: '{}' }
        return random() < 0.8 ? input : changedInput(input, random)
      },
      read: render,
    },
    {
      name: 'chat template, with the turns of the assistant',
      valid: valid.filter(({ template }) => /generation %}/.test(String(template))),
      read: (input) => void renderSpokenChat(String(input.template), messagesOf(input), optionsOf(input)),
    },
  ]
}
