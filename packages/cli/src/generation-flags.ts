import { AttuneError } from '@attune/core'
import { type GenerationOptions, generationOptions } from '@attune/generate'
import type { Command } from 'commander'
import { optionRows } from './option-rows.js'

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** What a flag takes, by the type of its option. */
const valueOf = (type: string): string =>
  type === 'boolean' ? '' : type.startsWith('list') ? ' <text...>' : ' <number>'

/** Adds a flag to a command for each option of writing. */
export function withGenerationFlags(command: Command): Command {
  for (const { name, type, default: initial, description } of optionRows(generationOptions))
    command.option(`--${kebab(name)}${valueOf(type)}`, `${description} (${type}; default ${initial})`)
  return command
}

/**
 * The options of writing among a command's flags.
 * @throws AttuneError `BAD_OPTIONS` for the first that is wrong
 */
export function generationFlags(flags: Readonly<Record<string, unknown>>): GenerationOptions {
  const given = Object.entries(flags)
    .filter(([name]) => Object.hasOwn(generationOptions.shape, name))
    .map(([name, value]) => [name, typeof value === 'string' ? Number(value) : value])
  const parsed = generationOptions.safeParse(Object.fromEntries(given))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const flag = String(issue?.path[0] ?? '')
  throw new AttuneError(
    'BAD_OPTIONS',
    `--${kebab(flag)}: ${issue?.message ?? ''}, got ${JSON.stringify(flags[flag])}`,
    'Add --help for what each flag takes.',
  )
}
