import { AttuneError, type OptionsSchema } from '@attune/core'

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** True if an option accepts null as a value. */
const acceptsNull = (schema: OptionsSchema, key: string): boolean =>
  (schema.shape[key] as { safeParse(value: unknown): { success: boolean } }).safeParse(null).success

/** Maximum nesting of a setting; some settings are passed through unchecked and saved with the model. */
const MAXIMUM_DEPTH = 32
/** Maximum number of values, keys and characters of a setting. */
const MAXIMUM_SIZE = 100_000

/** Returns the reason why a value cannot be a model setting; undefined if it can. */
function faultIn(value: unknown): string | undefined {
  let size = 0
  const isDeep = (node: unknown, left: number): boolean => {
    size += typeof node === 'string' ? node.length : 1
    if (typeof node !== 'object' || node === null || size > MAXIMUM_SIZE) return false
    if (!Array.isArray(node)) size += Object.keys(node).join('').length
    return left === 0 || Object.values(node).some((one) => isDeep(one, left - 1))
  }
  if (isDeep(value, MAXIMUM_DEPTH)) return `nested at most ${MAXIMUM_DEPTH} deep, but \`NAME\` is deeper`
  return size > MAXIMUM_SIZE ? `of at most ${MAXIMUM_SIZE} values, but \`NAME\` has more` : undefined
}

function requireSetting(name: string, value: unknown): void {
  const fault = faultIn(value)
  if (fault === undefined) return
  throw new AttuneError(
    'BAD_MODEL_FOLDER',
    `config.json: expected settings ${fault.replace('NAME', name)}`,
    'Download or save the model again.',
  )
}

/**
 * Converts a Hugging Face `config.json` into the options of a model plugin: `num_hidden_layers` becomes `numHiddenLayers`. Keys
 * without an option are dropped, as is null for an option that does not accept it.
 * @throws AttuneError `BAD_MODEL_FOLDER` for a value that is excessively nested or large
 */
export function optionsFromConfig(
  schema: OptionsSchema,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const options = Object.entries(config)
    .map(([key, value]) => [camel(key), value] as const)
    .filter(([key, value]) => Object.hasOwn(schema.shape, key) && (value !== null || acceptsNull(schema, key)))
  for (const [key, value] of options) requireSetting(snake(key), value)
  return Object.fromEntries(options)
}

/** Converts the options of a model plugin into their part of a `config.json`: the inverse of {@link optionsFromConfig}. */
export const configFromOptions = (options: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [snake(key), value]))
