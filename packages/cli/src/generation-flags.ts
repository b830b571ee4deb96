import { AttuneError } from '@attune/core'
import { type GenerationOptions, generationOptions } from '@attune/generate'
import type { Command } from 'commander'
import { optionRows } from './option-rows.js'

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** What a flag takes, by the type of its option. */
function valueOf(type: string): string {
  if (type === 'boolean') return ''
  return type.startsWith('list of string') ? ' <text...>' : type.startsWith('list') ? ' <number...>' : ' <number>'
}

/** The types of the options that are flags: all but sequences of tokens, for which a file has room. */
const flagTypes = Object.fromEntries(
  optionRows(generationOptions)
    .filter(({ type }) => !type.startsWith('list of list'))
    .map(({ name, type }) => [name, type]),
)

/** The value of a flag, with numbers where its option takes them. */
function numbersIn(name: string, value: unknown): unknown {
  if (typeof value === 'string') return Number(value)
  return Array.isArray(value) && !flagTypes[name]!.startsWith('list of string') ? value.map(Number) : value
}

/** Adds a flag to a command for each option of writing. */
export function withGenerationFlags(command: Command): Command {
  for (const { name, type, default: initial, description } of optionRows(generationOptions)) {
    const said = initial === '' ? type : `${type}; default ${initial}`
    if (Object.hasOwn(flagTypes, name)) command.option(`--${kebab(name)}${valueOf(type)}`, `${description} (${said})`)
  }
  return command
}

/**
 * The options of writing among a command's flags, those that were given.
 * @throws AttuneError `BAD_OPTIONS` for the first that is wrong
 */
export function generationFlags(flags: Readonly<Record<string, unknown>>): Partial<GenerationOptions> {
  const given = Object.entries(flags)
    .filter(([name]) => Object.hasOwn(flagTypes, name))
    .map(([name, value]) => [name, numbersIn(name, value)])
  const options = Object.fromEntries(given) as Partial<GenerationOptions>
  const parsed = generationOptions.safeParse(options)
  if (parsed.success) return options
  const [issue] = parsed.error.issues
  const flag = String(issue?.path[0] ?? '')
  throw new AttuneError(
    'BAD_OPTIONS',
    `--${kebab(flag)}: ${issue?.message ?? ''}, got ${JSON.stringify(flags[flag])}`,
    'Add --help for what each flag takes.',
  )
}
