import { createInterface } from 'node:readline'
import { Command } from 'commander'
import type { GenerationEvent } from '@attune/generate'
import { type Observable, lastValueFrom, tap, toArray } from 'rxjs'
import { generationFlags, withGenerationFlags } from '../generation-flags.js'
import { openWriter } from '../open-writer.js'

interface GenerateFlags extends Readonly<Record<string, unknown>> {
  readonly json?: true
}

async function promptsFrom(given: readonly string[]): Promise<readonly string[]> {
  if (given.length > 0) return given
  const lines: string[] = []
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity }))
    if (line.trim() !== '') lines.push(line)
  return lines
}

/** Writes one text as it comes; beams have no tokens to show before their end. */
async function writeOut(events: Observable<GenerationEvent>, streams: boolean): Promise<void> {
  const shown = events.pipe(
    tap((event) => {
      if (streams ? event.type === 'token' : event.type === 'finished') process.stdout.write(event.text)
    }),
  )
  await lastValueFrom(shown)
  process.stdout.write('\n')
}

async function writeLines(events: Observable<GenerationEvent>, prompts: readonly string[]): Promise<void> {
  const all = await lastValueFrom(events.pipe(toArray()))
  const finished = all.flatMap((event) => (event.type === 'finished' ? [event] : []))
  for (const { row, text, because, score } of finished.sort((a, b) => a.row - b.row))
    process.stdout.write(`${JSON.stringify({ prompt: prompts[row], text, because, score })}\n`)
}

async function write(folder: string, given: readonly string[], flags: GenerateFlags): Promise<void> {
  const options = generationFlags(flags)
  const prompts = await promptsFrom(given)
  const { generator, close } = await openWriter(folder)
  try {
    const events = generator.write(prompts, options)
    const plain = prompts.length === 1 && flags.json === undefined
    await (plain ? writeOut(events, options.beams === 1) : writeLines(events, prompts))
  } finally {
    await close()
  }
}

/** `attune generate` */
export const generateCommand = (): Command =>
  withGenerationFlags(
    new Command('generate')
      .summary('write with a model')
      .description(
        'Goes on from prompts with the model of a run, or of a folder in the layout of the Hugging Face library. One prompt is written out as it comes; several, or --json, give a JSON object a line.',
      )
      .argument('<model>', 'the folder of the run or the model')
      .argument('[prompt...]', 'prompts; without any, standard input, one a line')
      .option('--json', 'print JSON lines'),
  )
    .addHelpText(
      'after',
      `
Examples:
  attune generate runs/writer "A library that"
  attune generate runs/writer "A library that" --temperature 0.8 --top-p 0.9 --maximum-new-tokens 60
  cat prompts.txt | attune generate models/gpt2 --beams 4 > texts.jsonl`,
    )
    .action(write)
