import { z } from 'zod'
import { AttuneError } from './error.js'
import { type Found, isFound } from './found.js'
import { type Locate, describeIssues, metaOf } from './issues.js'
import { isRecord } from './json.js'
import type { Kind, OptionsSchema } from './kind.js'
import { type AnyPlugin, isPlugin } from './plugin.js'
import { type UserSpecifier, userSpecifier } from './plugin-name.js'

/** A reference to a plugin in a configuration: `adamw`, or `{ use: adamw, beta1: 0.8 }`. */
export interface Use {
  readonly kind: Kind<unknown>
  /** A name, a path or a package; in code also the plugin itself, or a resolved one. */
  readonly plugin: UserSpecifier | AnyPlugin | Found
  readonly options: Readonly<Record<string, unknown>>
}

/** A vocabulary may hold the words `kind`, `plugin` and `options` too: a reference is recognized by the token of its kind. */
const isUse = (node: unknown): node is Use =>
  isRecord(node) && isRecord(node['kind']) && typeof node['kind']['token'] === 'symbol' && 'plugin' in node

const isNamed = (value: unknown): boolean => typeof value === 'string' || isPlugin(value) || isFound(value)
const plugin = z.custom<string | AnyPlugin | Found>(isNamed, { message: 'expected a plugin name' })
type WithOptions = { readonly use: z.output<typeof plugin>; readonly [option: string]: unknown }
/** Not a loose object, which would drop an option named `__proto__` instead of leaving it to the plugin to reject. */
const named = z.custom<WithOptions>((value) => isRecord(value) && isNamed(value['use']))
const reference = z.union([plugin, named], { error: 'expected a plugin name or `{ use: name, … }`' })
const toUse =
  (kind: Kind<unknown>) =>
  (value: z.output<typeof reference>): Use => {
    if (isChosen(value)) return value as unknown as Use // chosen options may be parsed a second time
    const { use, ...options } = typeof value === 'object' && !isFound(value) ? value : { use: value }
    return { kind, plugin: typeof use === 'string' ? userSpecifier(use) : use, options }
  }

/** Schema of an option that names one plugin of a kind. A {@link Chosen} passes through unchanged. */
export const use = (kind: Kind<unknown>) => reference.transform(toUse(kind))

/** Schema of an option that names any number of plugins of a kind: a single one, or a list. */
export const useAll = (kind: Kind<unknown>) =>
  z
    .union([z.array(reference), reference], { error: 'expected a plugin or a list of plugins' })
    .transform((value) => (Array.isArray(value) ? value : [value]).map(toUse(kind)))

/** A resolved plugin with validated options, defaults filled in. */
export interface Chosen extends Found {
  /** The plugin's own options; plugin references among them are resolved too. */
  readonly options: Readonly<Record<string, unknown>>
  /** Options common to all plugins of the kind; read by the run. */
  readonly common?: Readonly<Record<string, unknown>>
}

/** A parsed configuration in which every {@link Use} is replaced by a {@link Chosen}. */
export type ChosenIn<T> = T extends Use
  ? Chosen
  : T extends readonly (infer E)[]
    ? readonly ChosenIn<E>[]
    : T extends object
      ? { readonly [K in keyof T]: ChosenIn<T[K]> }
      : T

const fail = (problems: readonly string[]): never => {
  throw new AttuneError(
    'BAD_CONFIG',
    `the configuration has ${problems.length === 1 ? 'an error' : `${problems.length} errors`}:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    'Fix the lines above. `npx attune plugins list` shows the installed plugins, `npx attune plugins info KIND NAME` their options.',
  )
}

/**
 * Validates a configuration, from a YAML file or from code, against its schema. Plugins are not looked up yet; that is what
 * {@link choosePlugins} does.
 * @throws AttuneError `BAD_CONFIG` with all errors at once, unknown keys with the nearest known ones.
 *
 * @example
 * ```ts
 * import { SCHEDULER, parseConfig, use } from '@attune/core'
 * import { z } from 'zod'
 * const schema = z.strictObject({ epochs: z.int().default(1), schedule: use(SCHEDULER) })
 * const config = parseConfig(schema, { schedule: { use: 'cosine', to: 0.1 } })
 * console.log(config.epochs, config.schedule.plugin, config.schedule.options) // 1 cosine { to: 0.1 }
 * ```
 */
export function parseConfig<S extends z.ZodType>(schema: S, input: unknown, locate?: Locate): z.output<S> {
  const parsed = schema.safeParse(input)
  return parsed.success ? parsed.data : fail(describeIssues(schema, parsed.error, input, [], locate))
}

/** True for a {@link Chosen}. */
export const isChosen = (node: unknown): node is Chosen =>
  typeof node === 'object' && node !== null && 'plugin' in node && 'options' in node && isPlugin(node.plugin)

/** The content of a field that an option names. */
export type FieldContent = 'text' | 'label' | 'words' | 'any'

/**
 * Returns the example fields that a plugin reads: the values of options whose schema has `.meta({ field: 'text' })`, a name or a
 * list of names, including those of nested plugins.
 * @param content restricts the result to fields of that content; default: all
 */
export const fieldsRead = (chosen: Pick<Chosen, 'plugin' | 'options'>, content?: FieldContent): readonly string[] => [
  ...new Set(
    Object.entries(chosen.options).flatMap(([name, value]) => {
      const declared = metaOf(chosen.plugin.options.shape[name], 'field')
      if (declared === undefined) return pluginsIn(value).flatMap((each) => fieldsRead(each, content))
      return (content ?? declared) === declared ? [value].flat().filter((each) => typeof each === 'string') : []
    }),
  ),
]

/** Returns the plugins in a value of a configuration, without those nested in their options. */
export const pluginsIn = (value: unknown): readonly Chosen[] => {
  if (isChosen(value)) return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(pluginsIn) : []
}

/**
 * Returns the paths among a plugin's options, by option. `path`: files that it reads, with `.meta({ path: true })` in the schema;
 * `writes`: files that it writes, relative to the run's folder, with `.meta({ writes: true })`.
 */
export const pathOptions = (
  { plugin, options, common = {} }: Pick<Chosen, 'plugin' | 'options' | 'common'>,
  what: 'path' | 'writes' = 'path',
): readonly [string, string][] => [
  ...pathsAmong(options, plugin.options, what),
  ...pathsAmong(common, plugin.kind.options, what),
]

const pathsAmong = (options: Chosen['options'], schema: OptionsSchema | undefined, what: 'path' | 'writes') =>
  Object.entries(options).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === 'string' && metaOf(schema?.shape[entry[0]], what) === true,
  )

/** Returns the options with all paths resolved. */
const withResolvedPaths = (
  options: Chosen['options'],
  schema: OptionsSchema,
  resolvePath: ChooseOptions['resolvePath'],
): Chosen['options'] => ({
  ...options,
  ...Object.fromEntries(pathsAmong(options, schema, 'path').map(([name, path]) => [name, resolvePath(path)])),
})

/** Looks up a plugin; `at` is the location in the configuration, for error messages. */
export type FindPlugin = (kind: Kind<unknown>, name: UserSpecifier, at: string | undefined) => Promise<Found>

/** Resolves one plugin reference. A reference that holds the plugin itself needs no lookup. */
export async function foundAt({ kind, plugin }: Use, find: FindPlugin, at?: string): Promise<Found> {
  if (isFound(plugin)) return plugin
  return isPlugin(plugin) ? { plugin, origin: { specifier: plugin.name } } : find(kind, plugin, at)
}

/** Separates a plugin's own options from those common to its kind. */
function divideOptions({ kind, options }: Use, plugin: AnyPlugin) {
  const isCommon = (name: string): boolean =>
    Object.hasOwn(kind.options?.shape ?? {}, name) && !Object.hasOwn(plugin.options.shape, name)
  const select = (common: boolean) =>
    Object.fromEntries(Object.entries(options).filter(([name]) => isCommon(name) === common))
  return { own: select(false), common: select(true) }
}

/** Lookup functions of {@link choosePlugins}. */
export interface ChooseOptions {
  /** Resolves names; in Node.js `findPlugin` of `@attune/resolve`. */
  readonly find: FindPlugin
  /** Makes a path among the options absolute; the identity function where there is no file system. */
  readonly resolvePath: (path: string) => string
  readonly locate?: Locate | undefined
}

/**
 * Resolves every plugin of a parsed configuration and validates its options, before any work starts. Path options
 * (`z.string().meta({ path: true })`) are made absolute.
 * @throws AttuneError `UNKNOWN_PLUGIN` for a name that cannot be resolved; `BAD_CONFIG` with all invalid options.
 *
 * @example
 * ```ts
 * import { SCHEDULER, choosePlugins, parseConfig, use } from '@attune/core'
 * import { findPlugin } from '@attune/resolve'
 * import { z } from 'zod'
 * const config = parseConfig(z.strictObject({ schedule: use(SCHEDULER) }), { schedule: 'cosine' })
 * const { schedule } = await choosePlugins(config, {
 *   find: (kind, name, at) => findPlugin(kind, name, { folders: [process.cwd()] }, at), resolvePath: (path) => path,
 * })
 * console.log(schedule.plugin.name, schedule.options) // cosine { warmupSteps: 0, warmupRatio: 0, floor: 0 }
 * ```
 */
export async function choosePlugins<T>(config: T, { find, resolvePath, locate }: ChooseOptions): Promise<ChosenIn<T>> {
  const problems: string[] = []
  const choose = async (node: unknown, path: readonly PropertyKey[]): Promise<unknown> => {
    if (isUse(node)) {
      const found = await foundAt(node, find, locate?.(path))
      const { own, common } = divideOptions(node, found.plugin)
      const parsed = found.plugin.options.safeParse(own)
      const shared = node.kind.options?.safeParse(common)
      if (parsed.success && shared?.success !== false) {
        const resolved = withResolvedPaths(parsed.data, found.plugin.options, resolvePath)
        const options = (await choose(resolved, path)) as Chosen['options']
        if (shared === undefined) return { ...found, options }
        return { ...found, options, common: withResolvedPaths(shared.data, node.kind.options!, resolvePath) }
      }
      if (!parsed.success) problems.push(...describeIssues(found.plugin.options, parsed.error, own, path, locate))
      if (shared?.success === false)
        problems.push(...describeIssues(node.kind.options, shared.error, common, path, locate))
      return undefined
    }
    if (isChosen(node) || typeof node !== 'object' || node === null) return node
    const entries: [string, unknown][] = []
    for (const [key, child] of Object.entries(node)) entries.push([key, await choose(child, [...path, key])])
    return Array.isArray(node) ? entries.map(([, child]) => child) : Object.fromEntries(entries)
  }
  const chosen = await choose(config, [])
  return problems.length > 0 ? fail(problems) : (chosen as ChosenIn<T>)
}
