import { type Choice, isFound, isPlugin } from '@attune/core'
import { runSchema } from '@attune/trainer/node'

/** Default value of a key in the configuration's schema. */
function defaultOf(key: string): unknown {
  const schema = (runSchema.shape as Readonly<Record<string, { readonly _zod: { readonly def: unknown } }>>)[key]
  return (schema?._zod.def as { readonly defaultValue?: unknown } | undefined)?.defaultValue
}

function set(node: unknown, keys: readonly string[], value: unknown): unknown {
  const [first, ...rest] = keys
  if (first === undefined) return value
  if (Array.isArray(node)) {
    if (/^\d+$/.test(first)) return node.map((each, i) => (i === Number(first) ? set(each, rest, value) : each))
    return node.length === 1 ? [set(node[0], keys, value)] : { [first]: value }
  }
  if (typeof node === 'string' || isPlugin(node) || isFound(node)) return set({ use: node }, keys, value)
  const inner = typeof node === 'object' && node !== null ? (node as Readonly<Record<string, unknown>>) : {}
  return { ...inner, [first]: set(Object.hasOwn(inner, first) ? inner[first] : undefined, rest, value) }
}

/**
 * Returns a configuration with the values of a choice set by path, such as `training.learningRate` or `optimizer.use`. A plugin given
 * by name becomes `{ use: name }`; a list of one plugin is addressed as that plugin; `metric.1.average` is an option of the second
 * metric. Nothing is validated.
 *
 * @example
 * ```ts
 * import { withChoice } from '@attune/study'
 * const config = { optimizer: 'adamw', training: { epochs: 1 } }
 * const choice = { 'training.epochs': 5, 'optimizer.weightDecay': 0.1 }
 * console.log(withChoice(config, choice)) // { optimizer: { use: 'adamw', weightDecay: 0.1 }, training: { epochs: 5 } }
 * ```
 */
export function withChoice<C extends object>(config: C, choice: Choice): C {
  const chosen = Object.entries(choice).reduce<Readonly<Record<string, unknown>>>(
    (changed, [path, value]) => {
      const keys = path.split('.')
      const [top = ''] = keys
      const complete = changed[top] === undefined ? { ...changed, [top]: defaultOf(top) } : changed
      return set(complete, keys, value) as Readonly<Record<string, unknown>>
    },
    config as Readonly<Record<string, unknown>>,
  )
  return chosen as C
}
