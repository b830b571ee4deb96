import { type Interface, createInterface } from 'node:readline'
import { AttuneError, type Tokenizer } from '@attune/core'
import { readWholeFile } from '@attune/files'
import type { GenerationOptions } from '@attune/generate'
import { type Message, renderChat, templateVariables } from '@attune/text'
import { Command } from 'commander'
import { generationFlags, withGenerationFlags } from '../generation-flags.js'
import { type OpenWriter, openWriter } from '../open-writer.js'

interface ChatFlags extends Readonly<Record<string, unknown>> {
  readonly system?: string
  readonly template?: string
}

const MAXIMUM_TEMPLATE = 1_000_000

function templateIn(file: string): string {
  const refuse = (why: string): AttuneError =>
    new AttuneError('FILE_NOT_READABLE', `${file} cannot be read: ${why}`, 'Name a file that holds a chat template.')
  let content: Buffer | undefined
  try {
    content = readWholeFile(file, MAXIMUM_TEMPLATE)
  } catch (error) {
    throw refuse((error as Error).message)
  }
  if (content === undefined) throw refuse('there is no such file')
  return content.toString('utf8')
}

function templateOf({ chatTemplate }: Tokenizer, { template }: ChatFlags): string {
  if (template !== undefined) return templateIn(template)
  if (chatTemplate !== undefined) return chatTemplate
  throw new AttuneError(
    'NO_CHAT_TEMPLATE',
    "the model's tokenizer has no chat template",
    'Give one with --template FILE, or use npx attune generate.',
  )
}

/** A chat template with its variables. */
interface Chat {
  readonly template: string
  readonly variables: Readonly<Record<string, string>>
}

/** Token ids of a conversation up to the generation prompt; the template adds the special tokens. */
function promptOf(
  tokenizer: Tokenizer,
  { template, variables }: Chat,
  messages: readonly Message[],
): readonly number[] {
  const { text } = renderChat(template, messages, { addGenerationPrompt: true, variables })
  return tokenizer.encode(text, { addSpecialTokens: false }).ids
}

/** Streams an answer; Ctrl-C ends it. Resolves to the answer. */
function answer(
  { generator }: OpenWriter,
  prompt: readonly number[],
  options: Partial<GenerationOptions>,
  lines: Interface,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const done = (): void => {
      lines.off('SIGINT', interrupted)
      process.stdout.write('\n')
      resolve(text)
    }
    const subscription = generator.generate([prompt], options).subscribe({
      next(event) {
        if (event.type === 'finished') return
        text += event.text
        process.stdout.write(event.text)
      },
      error: reject,
      complete: done,
    })
    const interrupted = (): void => {
      subscription.unsubscribe()
      done()
    }
    lines.on('SIGINT', interrupted)
  })
}

/** `attune chat` */
export const chatCommand = (): Command =>
  withGenerationFlags(
    new Command('chat')
      .summary('chat with a model')
      .description(
        "Talks with the model of a run or of a folder, by the tokenizer's chat template. Ctrl-C ends an answer, Ctrl-D the talk.",
      )
      .argument('<model>', 'folder of a run or a model, or a model of the Hub: organization/name')
      .option('--system <text>', 'system message')
      .option('--template <file>', 'chat template (Jinja) that replaces that of the tokenizer'),
  )
    .addHelpText(
      'after',
      `
Examples:
  npx attune chat models/smollm2-135m-instruct --temperature 0.7 --top-p 0.9
  npx attune chat runs/writer --template chatml.jinja --system "Answer in one sentence."`,
    )
    .action(async (folder: string, flags: ChatFlags) => {
      const options = generationFlags(flags)
      const open = await openWriter(folder)
      const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' })
      try {
        const chat = { template: templateOf(open.tokenizer, flags), variables: templateVariables(open.tokenizer) }
        const messages: Message[] = flags.system === undefined ? [] : [{ role: 'system', content: flags.system }]
        lines.prompt()
        for await (const line of lines) {
          if (line.trim() !== '') {
            messages.push({ role: 'user', content: line })
            const content = await answer(open, promptOf(open.tokenizer, chat, messages), options, lines)
            messages.push({ role: 'assistant', content })
          }
          lines.prompt()
        }
      } finally {
        lines.close()
        await open.close()
      }
    })
