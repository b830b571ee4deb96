import { AttuneError, describeIssues } from '@attune/core'
import { type GenerationOptions, generationOptions } from '@attune/generate'
import type { Command } from 'commander'
import { optionRows } from './option-rows.js'

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** Placeholders of a flag's value by the type of its option. */
function valueOf(type: string): string {
  if (type === 'boolean') return ''
  return type.startsWith('list of string') ? ' <text...>' : type.startsWith('list') ? ' <number...>' : ' <number>'
}

/** Types of the options that are flags: all except token sequences, which a file holds. */
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

/** Adds a flag to a command for each generation option. */
export function withGenerationFlags(command: Command): Command {
  for (const { name, type, default: initial, description } of optionRows(generationOptions)) {
    const said = initial === '' ? type : `${type}; default ${initial}`
    if (Object.hasOwn(flagTypes, name)) command.option(`--${kebab(name)}${valueOf(type)}`, `${description} (${said})`)
  }
  return command
}

/**
 * The generation options among a command's flags.
 * @throws AttuneError `BAD_OPTIONS` for the first invalid one
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
  const [problem = ''] = describeIssues(generationOptions, parsed.error, flags)
  throw new AttuneError(
    'BAD_OPTIONS',
    `--${kebab(flag)}: ${problem.replace(/^`[^`]*`: /, '')}`,
    'Add --help to see the values that each flag takes.',
  )
}
