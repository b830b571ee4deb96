import type { Tokenizer } from '@attune/core'

const DEFAULT = 'default'

/** Chat templates by name, from a tokenizer_config.json: one text, or a list of names and texts. */
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

/** Chat templates of a tokenizer, from `chat_template` in its configuration. */
export function chatTemplatesOf(given: unknown): Pick<Tokenizer, 'chatTemplate' | 'chatTemplates'> {
  const templates = namedTemplates(given)
  const { [DEFAULT]: chatTemplate } = templates
  return {
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    ...(Object.keys(templates).some((name) => name !== DEFAULT) ? { chatTemplates: templates } : {}),
  }
}
