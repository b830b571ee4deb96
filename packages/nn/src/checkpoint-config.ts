import { AttuneError, type OptionsSchema } from '@attune/core'

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Whether null says something to an option, rather than that nothing is said. */
const takesNull = (schema: OptionsSchema, key: string): boolean =>
  (schema.shape[key] as { safeParse(value: unknown): { success: boolean } }).safeParse(null).success

/** Deeper than any setting. A value thousands deep would overflow the stack when a message is made of it. */
const DEEPEST = 32

const isDeep = (value: unknown, left = DEEPEST): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (left === 0 || Object.values(value).some((one) => isDeep(one, left - 1)))

function requireShallow(name: string, value: unknown): void {
  if (isDeep(value))
    throw new AttuneError(
      'BAD_MODEL_FOLDER',
      `config.json: settings are at most ${DEEPEST} deep, and \`${name}\` is deeper`,
      'Fetch or save the model again.',
    )
}

/**
 * A model plugin's options out of a Hugging Face `config.json`: its keys are the option names in snake case, so
 * `num_hidden_layers` is `numHiddenLayers`. Keys that the plugin has no option for are left out, and so is null where an
 * option does not take it.
 * @throws AttuneError `BAD_MODEL_FOLDER` for a value that is nested beyond all reason
 */
export function optionsFromConfig(
  schema: OptionsSchema,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const options = Object.entries(config)
    .map(([key, value]) => [camel(key), value] as const)
    .filter(([key, value]) => Object.hasOwn(schema.shape, key) && (value !== null || takesNull(schema, key)))
  for (const [key, value] of options) requireShallow(snake(key), value)
  return Object.fromEntries(options)
}

/** The other way round: the part of a `config.json` that a model plugin's options make. */
export const configFromOptions = (options: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [snake(key), value]))
