import type { OptionsSchema } from '@attune/core'

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Whether null says something to an option, rather than that nothing is said. */
const takesNull = (schema: OptionsSchema, key: string): boolean =>
  (schema.shape[key] as { safeParse(value: unknown): { success: boolean } }).safeParse(null).success

/**
 * A model plugin's options out of a Hugging Face `config.json`: its keys are the option names in snake case, so
 * `num_hidden_layers` is `numHiddenLayers`. Keys that the plugin has no option for are left out, and so is null where an
 * option does not take it.
 */
export const optionsFromConfig = (
  schema: OptionsSchema,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config)
      .map(([key, value]) => [camel(key), value] as const)
      .filter(([key, value]) => Object.hasOwn(schema.shape, key) && (value !== null || takesNull(schema, key))),
  )

/** The other way round: the part of a `config.json` that a model plugin's options make. */
export const configFromOptions = (options: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [snake(key), value]))
