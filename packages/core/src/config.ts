import { z } from 'zod'
import { AttuneError } from './error.js'
import { type Found, isFound } from './found.js'
import { type Locate, describeIssues, metaOf } from './issues.js'
import type { Kind, OptionsSchema } from './kind.js'
import { type AnyPlugin, isPlugin } from './plugin.js'
import { type UserSpecifier, userSpecifier } from './plugin-name.js'

/** A place in a configuration that names a plugin: `adamw`, or `{ use: adamw, beta1: 0.8 }`. */
export interface Use {
  readonly kind: Kind<unknown>
  /** A name, a path or a package; in code also the plugin itself, or one that was found already. */
  readonly plugin: UserSpecifier | AnyPlugin | Found
  readonly options: Readonly<Record<string, unknown>>
}

const isUse = (node: unknown): node is Use =>
  typeof node === 'object' && node !== null && 'kind' in node && 'plugin' in node && 'options' in node

const isNamed = (value: unknown): boolean => typeof value === 'string' || isPlugin(value) || isFound(value)
const plugin = z.custom<string | AnyPlugin | Found>(isNamed, { message: 'a plugin name must stand here' })
const reference = z.union([plugin, z.looseObject({ use: plugin })], {
  error: 'a plugin name or `{ use: name, … }` must stand here',
})
const toUse =
  (kind: Kind<unknown>) =>
  (value: z.output<typeof reference>): Use => {
    if (isChosen(value)) return value as unknown as Use // options that were chosen already may be parsed again
    const { use, ...options } = typeof value === 'object' && !isFound(value) ? value : { use: value }
    return { kind, plugin: typeof use === 'string' ? userSpecifier(use) : use, options }
  }

/** The schema of a place that names one plugin of a kind. It accepts a {@link Chosen} as it is. */
export const use = (kind: Kind<unknown>) => reference.transform(toUse(kind))

/** The schema of a place that names any number of plugins of a kind: one, or a list. */
export const useAll = (kind: Kind<unknown>) =>
  z
    .union([z.array(reference), reference], { error: 'a plugin, or a list of plugins, must stand here' })
    .transform((value) => (Array.isArray(value) ? value : [value]).map(toUse(kind)))

/** A plugin that was found, with options checked and completed. */
export interface Chosen extends Found {
  /** The plugin's own options. Plugins among them are chosen too. */
  readonly options: Readonly<Record<string, unknown>>
  /** Options that every plugin of the kind takes; the run reads them. */
  readonly common?: Readonly<Record<string, unknown>>
}

/** A parsed configuration with a {@link Chosen} wherever a {@link Use} stood. */
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
    `the configuration has ${problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`}:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    'Mend what is named above; `attune plugins list` shows what is installed, `attune plugins info KIND NAME` the options.',
  )
}

/**
 * Checks a configuration, from a YAML file or from code, against its one schema. Nothing is looked up yet.
 * @throws AttuneError `BAD_CONFIG` with all mistakes at once, unknown keys with the nearest known ones.
 */
export function parseConfig<S extends z.ZodType>(schema: S, input: unknown, locate?: Locate): z.output<S> {
  const parsed = schema.safeParse(input)
  return parsed.success ? parsed.data : fail(describeIssues(schema, parsed.error, input, [], locate))
}

/** True for a {@link Chosen}. */
export const isChosen = (node: unknown): node is Chosen =>
  typeof node === 'object' && node !== null && 'plugin' in node && 'options' in node && isPlugin(node.plugin)

/** The content of a field that an option names. */
export type FieldContent = 'text' | 'label' | 'words'

/**
 * The fields of an example that a plugin's options name, those of plugins among its options included: options whose schema says
 * `.meta({ field: 'text' })`.
 * @param content only fields of that content; default: all
 */
export const fieldsRead = (chosen: Pick<Chosen, 'plugin' | 'options'>, content?: FieldContent): readonly string[] => [
  ...new Set(
    Object.entries(chosen.options).flatMap(([name, value]) => {
      const said = metaOf(chosen.plugin.options.shape[name], 'field')
      if (typeof value === 'string') return said !== undefined && (content ?? said) === said ? [value] : []
      return pluginsIn(value).flatMap((each) => fieldsRead(each, content))
    }),
  ),
]

/** The plugins in a value of a configuration, but for those among their own options. */
export const pluginsIn = (value: unknown): readonly Chosen[] => {
  if (isChosen(value)) return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(pluginsIn) : []
}

/**
 * Paths that a plugin's options name, by option. `path`: files that it reads, whose schema says `.meta({ path: true })`; `writes`:
 * files that it writes, relative to the run's folder, whose schema says `.meta({ writes: true })`.
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

/** The options with all paths resolved. */
const withResolvedPaths = (
  options: Chosen['options'],
  schema: OptionsSchema,
  resolvePath: ChooseOptions['resolvePath'],
): Chosen['options'] => ({
  ...options,
  ...Object.fromEntries(pathsAmong(options, schema, 'path').map(([name, path]) => [name, resolvePath(path)])),
})

/** Looks up what stands at one place of a configuration; `at` is that place, for errors. */
export type FindPlugin = (kind: Kind<unknown>, name: UserSpecifier, at: string | undefined) => Promise<Found>

/** Finds the plugin at one place, unless the place holds it already. */
export async function foundAt({ kind, plugin }: Use, find: FindPlugin, at?: string): Promise<Found> {
  if (isFound(plugin)) return plugin
  return isPlugin(plugin) ? { plugin, origin: { specifier: plugin.name } } : find(kind, plugin, at)
}

/** A plugin's own options, and those that every plugin of its kind takes. */
function divideOptions({ kind, options }: Use, plugin: AnyPlugin) {
  const isCommon = (name: string): boolean =>
    Object.hasOwn(kind.options?.shape ?? {}, name) && !Object.hasOwn(plugin.options.shape, name)
  const part = (wanted: boolean) =>
    Object.fromEntries(Object.entries(options).filter(([name]) => isCommon(name) === wanted))
  return { own: part(false), common: part(true) }
}

/** Lookups that {@link choosePlugins} makes. */
export interface ChooseOptions {
  /** Looks up names; in Node.js `findPlugin` of @attune/resolve. */
  readonly find: FindPlugin
  /** Makes a path among the options absolute; where there are no files, returns it as it is. */
  readonly resolvePath: (path: string) => string
  readonly locate?: Locate | undefined
}

/**
 * Finds every plugin that a parsed configuration names and checks its options, before any work starts. Options that are
 * paths (`z.string().meta({ path: true })`) are resolved.
 * @throws AttuneError `UNKNOWN_PLUGIN` for a name that resolves to nothing; `BAD_CONFIG` with all mistaken options.
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
    if (isChosen(node)) return node
    if (typeof node !== 'object' || node === null) return node
    const entries: [string, unknown][] = []
    for (const [key, child] of Object.entries(node)) entries.push([key, await choose(child, [...path, key])])
    return Array.isArray(node) ? entries.map(([, child]) => child) : Object.fromEntries(entries)
  }
  const chosen = await choose(config, [])
  return problems.length > 0 ? fail(problems) : (chosen as ChosenIn<T>)
}
