import { AttuneError, type OptionsSchema } from '@attune/core'

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Whether null says something to an option, rather than that nothing is said. */
const takesNull = (schema: OptionsSchema, key: string): boolean =>
  (schema.shape[key] as { safeParse(value: unknown): { success: boolean } }).safeParse(null).success

/** Deeper than any setting: some are carried along as they are, and written with the model. */
const DEEPEST = 32
/** More numbers, names and characters than any setting has. */
const LARGEST = 100_000

/** Why a value is not a setting of a model; nothing if it may be one. */
function faultIn(value: unknown): string | undefined {
  let size = 0
  const isDeep = (node: unknown, left: number): boolean => {
    size += typeof node === 'string' ? node.length : 1
    if (typeof node !== 'object' || node === null || size > LARGEST) return false
    if (!Array.isArray(node)) size += Object.keys(node).join('').length
    return left === 0 || Object.values(node).some((one) => isDeep(one, left - 1))
  }
  if (isDeep(value, DEEPEST)) return `at most ${DEEPEST} deep, and \`NAME\` is deeper`
  return size > LARGEST ? `of at most ${LARGEST} parts, and \`NAME\` has more` : undefined
}

function requireSetting(name: string, value: unknown): void {
  const fault = faultIn(value)
  if (fault === undefined) return
  throw new AttuneError(
    'BAD_MODEL_FOLDER',
    `config.json: settings are ${fault.replace('NAME', name)}`,
    'Fetch or save the model again.',
  )
}

/**
 * A model plugin's options out of a Hugging Face `config.json`: its keys are the option names in snake case, so
 * `num_hidden_layers` is `numHiddenLayers`. Keys that the plugin has no option for are left out, and so is null where an
 * option does not take it.
 * @throws AttuneError `BAD_MODEL_FOLDER` for a value that is nested or large beyond all reason
 */
export function optionsFromConfig(
  schema: OptionsSchema,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const options = Object.entries(config)
    .map(([key, value]) => [camel(key), value] as const)
    .filter(([key, value]) => Object.hasOwn(schema.shape, key) && (value !== null || takesNull(schema, key)))
  for (const [key, value] of options) requireSetting(snake(key), value)
  return Object.fromEntries(options)
}

/** The other way round: the part of a `config.json` that a model plugin's options make. */
export const configFromOptions = (options: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [snake(key), value]))
