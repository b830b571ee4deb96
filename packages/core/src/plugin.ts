import type { Tensor } from '@tensorflow/tfjs-core'
import type { z } from 'zod'
import { AttuneError } from './error.js'
import type { Arity, Kind, OptionsSchema } from './kind.js'
import { describeIssues, metaOf } from './issues.js'
import type { Example } from './kinds/source.js'
import type { Tokenizer } from './kinds/tokenizer.js'
import { isTensor } from './tree.js'

/** Dependencies of a plugin: kinds, under names of its own. */
export type Needs = Readonly<Record<string, Kind<unknown>>>

/** The injected instances for {@link Needs}, under the same names; a list for a kind of arity `chain` or `many`. */
export type Injected<N extends Needs> = {
  readonly [K in keyof N]: N[K] extends Kind<infer T, infer A> ? (A extends 'one' ? T : readonly T[]) : never
}

/**
 * Receives the progress of `fit`: the phase, the amount done, and the total if known. Calls are rate-limited, so it may be called
 * at any frequency.
 */
export type ReportProgress = (phase: string, done: number, total?: number) => void

/** The definition of a plugin, available without creating an instance. */
export interface Manifest<T, S extends OptionsSchema, N extends Needs> {
  readonly kind: Kind<T>
  /** The name after `use:` in a configuration; unique within the kind. */
  readonly name: string
  /** The technique in one line. */
  readonly summary: string
  /** The publication: author, title, year, section. */
  readonly source?: string
  /** The options, each with its range, default and `describe` text; the documentation is generated from them. */
  readonly options: S
  readonly needs?: N
  /** Properties of the kind's contract that the technique cannot satisfy, each with the reason. Contract tests print them. */
  readonly exceptions?: Readonly<Record<string, string>>
  /**
   * Learns options from the training examples before an instance is created (label names, a vocabulary). Called once, when a new
   * run starts; a resumed run has the learned options in its configuration. Every plugin except a tokenizer may call `tokenizer`
   * for that of the run, already fitted. Long computations should call `report`.
   */
  fit?(
    options: z.output<S>,
    examples: () => AsyncIterable<Example>,
    tokenizer?: () => Tokenizer,
    report?: ReportProgress,
  ): Promise<z.input<S>>
  /** Creates an instance from validated options and injected dependencies. */
  create(options: z.output<S>, dependencies: Injected<N>): T
}

/** A plugin: a function from options (and dependencies) to an instance, with the manifest as its properties. */
export type Plugin<T, S extends OptionsSchema = OptionsSchema, N extends Needs = Needs> = ((
  ...input: PluginInput<S, N>
) => T) &
  Readonly<Omit<Manifest<T, S, N>, 'create' | 'name'>> & { readonly name: string }

type PluginInput<S extends OptionsSchema, N extends Needs> = keyof N extends never
  ? [options?: z.input<S>]
  : N[keyof N] extends Kind<unknown, Exclude<Arity, 'one'>>
    ? [options?: z.input<S>, dependencies?: Partial<Injected<N>>]
    : [
        options: z.input<S> | undefined,
        dependencies: Omit<Injected<N>, ListNeeds<N>> & Partial<Pick<Injected<N>, ListNeeds<N>>>,
      ]

/** Dependencies of arity `chain` or `many`, which may be empty. */
type ListNeeds<N extends Needs> = { [K in keyof N]: N[K] extends Kind<unknown, 'one'> ? never : K }[keyof N]

/** A plugin with any options and instances, for code that reads only the manifest: resolution, the command line, the docs. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the only type that every plugin's call signature fits
export type AnyPlugin = ((...input: any[]) => any) &
  Readonly<Omit<Manifest<unknown, OptionsSchema, Needs>, 'create' | 'name'>> & { readonly name: string }

/** Returns the title of a plugin in messages: `<kind> <name>`. */
export const titleOf = (plugin: AnyPlugin): string => `${plugin.kind.name} ${plugin.name}`

/**
 * Validates options against a plugin's schema and fills in the defaults.
 * @throws AttuneError `BAD_OPTIONS` with all errors at once.
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

/** Returns the remedy that refers to a plugin's list of options. */
export const optionsRemedy = (plugin: { readonly kind: Kind<unknown>; readonly name: string }): string =>
  `Run \`npx attune plugins info ${plugin.kind.name} ${plugin.name}\` for the options, their ranges and defaults.`

/** A number or, while a step is traced, a tensor `[]`. */
type NumberOption = z.ZodType<number | Tensor, number | Tensor>
type Schedulable<S> = S extends z.ZodDefault ? z.ZodDefault<NumberOption> : z.ZodOptional<NumberOption>

/**
 * Marks a numeric option as schedulable. While a step is traced, `create` then receives a tensor `[]` for it, and a number
 * otherwise. An option that `collate` of an objective reads, on the host, is marked with `.meta({ scheduled: 'collation' })`
 * instead; its values are passed to `collate`.
 */
export const scheduled = <S extends z.ZodDefault<z.ZodNumber> | z.ZodOptional<z.ZodNumber>>(schema: S) =>
  schema.meta({ scheduled: 'step' }) as unknown as Schedulable<S>

/** Returns the names of a plugin's schedulable options; `by` restricts them to those read in a step, or in collation. */
export const scheduledOptions = ({ options }: Pick<AnyPlugin, 'options'>, by = ['step', 'collation']) =>
  Object.keys(options.shape).filter((name) => by.includes(String(metaOf(options.shape[name], 'scheduled'))))

/** Separates the tensors of scheduled options from the other options, which can be validated. */
function separateTensors(schema: OptionsSchema, options: object) {
  const isScheduled = ([name, value]: [string, unknown]): boolean =>
    isTensor(value) && scheduledOptions({ options: schema }, ['step']).includes(name)
  const select = (scheduled: boolean) =>
    Object.fromEntries(Object.entries(options).filter((entry) => isScheduled(entry) === scheduled))
  return { numbers: select(false), tensors: select(true) }
}

/**
 * Defines a plugin. Calling the plugin validates the options and returns an instance; nothing runs at import or definition.
 * Dependencies of arity `chain` and `many` default to an empty list.
 *
 * @example
 * ```ts
 * import { SCHEDULER, definePlugin } from '@attune/core'
 * import { z } from 'zod'
 * const inverseTime = definePlugin({
 *   kind: SCHEDULER, name: 'inverse-time', summary: 'Inverse-time decay',
 *   options: z.strictObject({ rate: z.number().min(0).default(0.1).describe('Decay rate per step') }),
 *   create: ({ rate }) => (step) => 1 / (1 + rate * (step - 1)),
 * })
 * console.log(inverseTime({ rate: 1 })(2, 10)) // 0.5
 * ```
 */
export function definePlugin<T, S extends OptionsSchema, N extends Needs = Record<never, never>>(
  manifest: Manifest<T, S, N>,
): Plugin<T, S, N> {
  const { create, name, ...carried } = manifest
  const listNeeds = Object.entries(manifest.needs ?? {}).filter(([, { arity }]) => arity !== 'one')
  const empty = Object.fromEntries(listNeeds.map(([need]) => [need, []]))
  const plugin = (options?: unknown, dependencies?: object): T => {
    const { numbers, tensors } = separateTensors(manifest.options, options ?? {})
    return create({ ...parseOptions(manifest, numbers), ...tensors }, { ...empty, ...dependencies } as Injected<N>)
  }
  return Object.defineProperty(Object.assign(plugin, carried), 'name', { value: name }) as unknown as Plugin<T, S, N>
}

/** True for a plugin, as opposed to other exports of a package. */
export const isPlugin = (value: unknown): value is AnyPlugin =>
  typeof value === 'function' && 'kind' in value && 'options' in value && 'summary' in value
