import type { Tensor } from '@tensorflow/tfjs-core'
import type { z } from 'zod'
import { AttuneError } from './error.js'
import type { Arity, Kind, OptionsSchema } from './kind.js'
import { describeIssues, metaOf } from './issues.js'
import type { Example } from './kinds/source.js'
import type { Tokenizer } from './kinds/tokenizer.js'
import { isTensor } from './tree.js'

/** What a plugin asks for besides its options: kinds under names of its own choosing. */
export type Needs = Readonly<Record<string, Kind<unknown>>>

/** The instances that answer {@link Needs}, under the same names; a list for kinds of which there are several. */
export type Injected<N extends Needs> = {
  readonly [K in keyof N]: N[K] extends Kind<infer T, infer A> ? (A extends 'one' ? T : readonly T[]) : never
}

/**
 * Hears how far learning is: the words for what is done, how much of it is done, and of how much, where that is known. May be
 * called as often as one likes.
 */
export type ReportProgress = (phase: string, done: number, total?: number) => void

/** All that is known of a plugin without making an instance of it. */
export interface Manifest<T, S extends OptionsSchema, N extends Needs> {
  readonly kind: Kind<T>
  /** The word after `use:` in a configuration; unique within the kind. */
  readonly name: string
  /** What it computes, in one line. */
  readonly summary: string
  /** Where the technique was published: author, title, year, section. */
  readonly source?: string
  /** The options, each with its range, its default and a `describe` text: the one place where they are documented. */
  readonly options: S
  readonly needs?: N
  /** Properties of the kind's contract that this technique cannot have, each with the reason. Contract suites print them. */
  readonly exceptions?: Readonly<Record<string, string>>
  /**
   * Learns options from the training examples before an instance is made (the names of the labels, a vocabulary).
   * Called once, when a new run starts; a resumed run has the learned options in its configuration. What is no tokenizer
   * itself may ask for the run's, which has learned by then. What takes long reports its progress.
   */
  fit?(
    options: z.output<S>,
    examples: () => AsyncIterable<Example>,
    tokenizer?: () => Tokenizer,
    report?: ReportProgress,
  ): Promise<z.input<S>>
  create(options: z.output<S>, given: Injected<N>): T
}

/** A plugin: a function from options (and what it needs) to an instance, which carries its manifest. */
export type Plugin<T, S extends OptionsSchema = OptionsSchema, N extends Needs = Needs> = ((
  ...input: PluginInput<S, N>
) => T) &
  Readonly<Omit<Manifest<T, S, N>, 'create' | 'name'>> & { readonly name: string }

type PluginInput<S extends OptionsSchema, N extends Needs> = keyof N extends never
  ? [options?: z.input<S>]
  : N[keyof N] extends Kind<unknown, Exclude<Arity, 'one'>>
    ? [options?: z.input<S>, given?: Partial<Injected<N>>]
    : [options: z.input<S> | undefined, given: Omit<Injected<N>, Several<N>> & Partial<Pick<Injected<N>, Several<N>>>]

/** Needs of kinds of which there may be several, and so none. */
type Several<N extends Needs> = { [K in keyof N]: N[K] extends Kind<unknown, 'one'> ? never : K }[keyof N]

/** A plugin of which only the manifest matters: what resolution, the command line and the docs handle. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the only type that every plugin's call signature fits
export type AnyPlugin = ((...input: any[]) => any) &
  Readonly<Omit<Manifest<unknown, OptionsSchema, Needs>, 'create' | 'name'>> & { readonly name: string }

/** The words `<kind> <name>` by which messages call a plugin. */
export const titleOf = (plugin: AnyPlugin): string => `${plugin.kind.name} ${plugin.name}`

/**
 * Checks options against a plugin's schema and fills in the defaults.
 * @throws AttuneError `BAD_OPTIONS` with all that is wrong at once.
 */
export function parseOptions<S extends OptionsSchema>(
  plugin: Pick<Manifest<unknown, S, Needs>, 'kind' | 'name' | 'options'>,
  options: unknown,
): z.output<S> {
  const parsed = plugin.options.safeParse(options ?? {})
  if (parsed.success) return parsed.data
  throw new AttuneError(
    'BAD_OPTIONS',
    `${plugin.kind.name} ${plugin.name}: ${describeIssues(plugin.options, parsed.error, options ?? {}).join('; ')}`,
    optionsRemedy(plugin),
  )
}

/** The line that shows a plugin's options. */
export const optionsRemedy = (plugin: { readonly kind: Kind<unknown>; readonly name: string }): string =>
  `\`attune plugins info ${plugin.kind.name} ${plugin.name}\` lists its options, their ranges and defaults.`

/**
 * Marks a number among a plugin's options as one that may follow a schedule. `create` then receives a tensor `[]` in its place while
 * a step is being traced, and a number otherwise.
 */
export const scheduled = (
  schema: z.ZodDefault<z.ZodNumber>,
): z.ZodDefault<z.ZodType<number | Tensor, number | Tensor>> =>
  schema.meta({ scheduled: true }) as unknown as z.ZodDefault<z.ZodType<number | Tensor, number | Tensor>>

/** The names of a plugin's options that may follow a schedule. */
export const scheduledOptions = ({ options }: Pick<AnyPlugin, 'options'>): readonly string[] =>
  Object.keys(options.shape).filter((name) => metaOf(options.shape[name], 'scheduled') === true)

/** Takes the tensors of scheduled options out of others, so that these can be checked. */
function takeTensors(schema: OptionsSchema, options: object) {
  const isScheduled = ([name, value]: [string, unknown]): boolean =>
    isTensor(value) && scheduledOptions({ options: schema }).includes(name)
  const entries = Object.entries(options)
  return {
    numbers: Object.fromEntries(entries.filter((entry) => !isScheduled(entry))),
    tensors: Object.fromEntries(entries.filter(isScheduled)),
  }
}

/**
 * Makes a plugin of a manifest. Calling the plugin checks the options and returns an instance; nothing else happens
 * at import or at definition. Of what it may be given several there may be none.
 */
export function definePlugin<T, S extends OptionsSchema, N extends Needs = Record<never, never>>(
  manifest: Manifest<T, S, N>,
): Plugin<T, S, N> {
  const { create, name, ...carried } = manifest
  const several = Object.entries(manifest.needs ?? {}).filter(([, { arity }]) => arity !== 'one')
  const none = Object.fromEntries(several.map(([need]) => [need, []]))
  const plugin = (options?: unknown, given?: object): T => {
    const { numbers, tensors } = takeTensors(manifest.options, options ?? {})
    return create({ ...parseOptions(manifest, numbers), ...tensors }, { ...none, ...given } as Injected<N>)
  }
  return Object.defineProperty(Object.assign(plugin, carried), 'name', { value: name }) as unknown as Plugin<T, S, N>
}

/** Tells a plugin from any other value that a package may export. */
export const isPlugin = (value: unknown): value is AnyPlugin =>
  typeof value === 'function' && 'kind' in value && 'options' in value && 'summary' in value
