import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Tokenizer } from '@attune/core'

const MAXIMUM_BYTES = 1_000_000
const DEFAULT = 'default'

/** Chat templates by name, as a tokenizer_config.json has them: one text, or a list of names and texts. */
function namedTemplates(given: unknown): Readonly<Record<string, string>> {
  if (typeof given === 'string') return { [DEFAULT]: given }
  if (typeof given !== 'object' || given === null) return {}
  const entries = Array.isArray(given)
    ? (given as unknown[]).map((each) => {
        const { name, template } = (each ?? {}) as { readonly name?: unknown; readonly template?: unknown }
        return [name, template] as const
      })
    : Object.entries(given)
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry.every((part) => typeof part === 'string')),
  )
}

/** The chat templates of a tokenizer: what its configuration says under `chat_template`. */
export function chatTemplatesOf(given: unknown): Pick<Tokenizer, 'chatTemplate' | 'chatTemplates'> {
  const templates = namedTemplates(given)
  const { [DEFAULT]: chatTemplate } = templates
  return {
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    ...(Object.keys(templates).some((name) => name !== DEFAULT) ? { chatTemplates: templates } : {}),
  }
}

function textOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isFile() === true && found.size <= MAXIMUM_BYTES ? readFileSync(path, 'utf8') : undefined
}

/** The template in a `chat_template.json`; none if it cannot be read. */
function fromJson(path: string): unknown {
  try {
    return (JSON.parse(textOf(path) ?? 'null') as { readonly chat_template?: unknown } | null)?.chat_template
  } catch {
    return undefined
  }
}

/**
 * The chat templates that stand in files of their own: `chat_template.jinja` and those of other names in the folder
 * `additional_chat_templates`, or an older `chat_template.json`.
 * @returns what a tokenizer_config.json would say under `chat_template`; undefined where there are none
 */
export function readChatTemplates(folder: string): unknown {
  const more = join(folder, 'additional_chat_templates')
  const named = existsSync(more) ? readdirSync(more).filter((name) => name.endsWith('.jinja')) : []
  const templates = [
    { name: DEFAULT, template: textOf(join(folder, 'chat_template.jinja')) },
    ...named.sort().map((name) => ({ name: basename(name, '.jinja'), template: textOf(join(more, name)) })),
  ].filter(({ template }) => template !== undefined)
  if (templates.length === 0) return fromJson(join(folder, 'chat_template.json'))
  return templates.length === 1 && templates[0]!.name === DEFAULT ? templates[0]!.template : templates
}
