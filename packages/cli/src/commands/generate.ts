import { createInterface } from 'node:readline'
import { Command } from 'commander'
import { AttuneError } from '@attune/core'
import { readJsonObject } from '@attune/files'
import {
  type GenerationEvent,
  type Schema,
  type SchemaConstraint,
  allOf,
  constrainToPattern,
  constrainToSchema,
  requireKeywords,
} from '@attune/generate'
import { type Observable, lastValueFrom, tap, toArray } from 'rxjs'
import { generationFlags, withGenerationFlags } from '../generation-flags.js'
import { type OpenWriter, openWriter } from '../open-writer.js'

interface GenerateFlags extends Readonly<Record<string, unknown>> {
  readonly json?: true
  readonly adapter?: string
  readonly task?: string
  readonly pattern?: string
  readonly jsonSchema?: string
  readonly keyword?: readonly string[]
}

const MAXIMUM_SCHEMA = 4_000_000

function schemaIn(file: string): Schema {
  const refuse = (why: string): AttuneError =>
    new AttuneError('BAD_OPTIONS', `${file} cannot be read: ${why}`, 'Name a file that holds a JSON Schema.')
  const schema = readJsonObject(file, MAXIMUM_SCHEMA, refuse)
  if (schema === undefined) throw refuse('there is no such file')
  return schema as Schema
}

/** The constraint to a schema. Reports on standard error what of the schema is not generated. */
function schemaConstraint(file: string, { tokenizer, ends }: OpenWriter): SchemaConstraint {
  const constraint = constrainToSchema(schemaIn(file), tokenizer, ends)
  for (const { keyword, how, at, count } of constraint.narrowed)
    process.stderr.write(`${file}: ${keyword}: ${how} (${at}${count > 1 ? ` and ${count - 1} more` : ''})\n`)
  return constraint
}

/** The constraint that the flags specify, if any: the conjunction of all. @throws AttuneError `BAD_OPTIONS` for a file that is not JSON */
function constraintOf({ pattern, jsonSchema, keyword }: GenerateFlags, writer: OpenWriter) {
  const { tokenizer, ends } = writer
  const constraints = [
    ...(pattern === undefined ? [] : [constrainToPattern(pattern, tokenizer, ends)]),
    ...(jsonSchema === undefined ? [] : [schemaConstraint(jsonSchema, writer)]),
    ...(keyword === undefined ? [] : [requireKeywords(keyword, tokenizer, ends)]),
  ]
  return constraints.length === 0 ? undefined : allOf(constraints)
}

async function promptsFrom(given: readonly string[]): Promise<readonly string[]> {
  if (given.length > 0) return given
  const lines: string[] = []
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity }))
    if (line.trim() !== '') lines.push(line)
  return lines
}

/** Streams one text; beam search has no tokens to show before its end. */
async function writeOut(events: Observable<GenerationEvent>): Promise<void> {
  let streams = false
  const shown = events.pipe(
    tap((event) => {
      streams ||= event.type === 'token'
      if (event.type === 'token' || !streams) process.stdout.write(event.text)
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
  const { adapter, task } = flags
  if (adapter !== undefined && task !== undefined)
    throw new AttuneError(
      'BAD_USAGE',
      '--task opens a run with its own adapter, and --adapter names another one',
      'For example: npx attune generate RUN --task NAME "some text"',
    )
  const options = generationFlags(flags)
  const prompts = await promptsFrom(given)
  const open = await openWriter(folder, { adapter, task })
  try {
    const events = open.generator.generate(prompts, options, constraintOf(flags, open))
    const plain = prompts.length === 1 && flags.json === undefined
    await (plain ? writeOut(events) : writeLines(events, prompts))
  } finally {
    await open.close()
  }
}

/** `attune generate` */
export const generateCommand = (): Command =>
  withGenerationFlags(
    new Command('generate')
      .summary('generate text')
      .description(
        'Generates text from prompts with the model of a run, or of a folder in the layout of transformers. The text of a single prompt is streamed; with several prompts, or --json, each result is a JSON object on a line.',
      )
      .argument('<model>', 'folder of a run or a model, or a model of the Hub: organization/name')
      .argument('[prompt...]', 'prompts; default: standard input, one per line')
      .option('--adapter <folder>', 'saved adapter to apply: folder of a run, or in the layout of PEFT')
      .option('--task <name>', 'task of a multi-task run, one that generates text')
      .option('--json', 'print JSON lines')
      .option('--pattern <regex>', 'generate only text that fully matches a regular expression')
      .option('--json-schema <file>', 'generate only JSON that is valid under a JSON Schema')
      .option('--keyword <word...>', 'words that the text must contain'),
  )
    .addHelpText(
      'after',
      `
Examples:
  npx attune generate runs/writer "A library that"
  npx attune generate runs/writer "A library that" --temperature 0.8 --top-p 0.9 --maximum-new-tokens 60
  npx attune generate models/gpt2 "A library that" --adapter runs/writer-lora
  npx attune generate runs/multi-task "A library that" --task translation
  npx attune generate models/smollm2 "As JSON: " --json-schema person.json
  cat prompts.txt | npx attune generate models/gpt2 --beams 4 > texts.jsonl`,
    )
    .action(write)
