import type { Tokenizer } from '@attune/core'

const DEFAULT = 'default'

/** Chat templates by name, from a tokenizer_config.json: one text, or a list of names and texts. */
function namedTemplates(config: unknown): Readonly<Record<string, string>> {
  if (typeof config === 'string') return { [DEFAULT]: config }
  if (typeof config !== 'object' || config === null) return {}
  const entries = Array.isArray(config)
    ? (config as unknown[]).map((each) => {
        const { name, template } = (each ?? {}) as { readonly name?: unknown; readonly template?: unknown }
        return [name, template] as const
      })
    : Object.entries(config)
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry.every((part) => typeof part === 'string')),
  )
}

/** Chat templates of a tokenizer, from `chat_template` in its configuration. */
export function chatTemplatesOf(config: unknown): Pick<Tokenizer, 'chatTemplate' | 'chatTemplates'> {
  const templates = namedTemplates(config)
  const { [DEFAULT]: chatTemplate } = templates
  return {
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    ...(Object.keys(templates).some((name) => name !== DEFAULT) ? { chatTemplates: templates } : {}),
  }
}
