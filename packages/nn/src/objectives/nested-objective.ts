import {
  type AnyObjective,
  type AnyPlugin,
  type Chosen,
  type Example,
  type LossTerm,
  type Model,
  type ReportProgress,
  type Tokenizer,
  type Use,
  fieldsRead,
} from '@attune/core'

/** An objective named in an option, `use(OBJECTIVE)`. */
export type ChosenObjective = Pick<Use, 'plugin' | 'options'>

/** Components of an objective. */
export interface ObjectiveNeeds {
  readonly model: Model
  readonly tokenizer: Tokenizer
  readonly losses?: readonly LossTerm[]
}

const pluginOf = ({ plugin }: ChosenObjective): AnyPlugin => plugin as AnyPlugin

/** Creates the objective that an option names, with the components of the objective that has the option. */
export const createNested = (chosen: ChosenObjective, given: ObjectiveNeeds): AnyObjective =>
  pluginOf(chosen)(chosen.options, given) as AnyObjective

/** Fields that hold the references of an objective named in an option. */
export const labelFields = (chosen: ChosenObjective): readonly string[] => {
  const plugin = pluginOf(chosen)
  return fieldsRead({ plugin, options: plugin.options.parse(chosen.options) }, 'label')
}

/** Learns the options of an objective named in an option; returns the option with them. */
export async function fitNested(
  chosen: ChosenObjective,
  examples: () => AsyncIterable<Example>,
  tokenizer?: () => Tokenizer,
  report?: ReportProgress,
): Promise<Chosen> {
  const { fit, options } = pluginOf(chosen)
  const own = options.parse(chosen.options)
  // A run resolves the plugins of its options before it fits them.
  return { ...(chosen as Chosen), options: (await fit?.(own, examples, tokenizer, report)) ?? own }
}

/** Learns the options of several objectives named in an option, each from the rows whose field `by` holds its name. */
export async function fitTasks(
  tasks: Readonly<Record<string, ChosenObjective>>,
  by: string,
  examples: () => AsyncIterable<Example>,
  ...rest: readonly [tokenizer?: () => Tokenizer, report?: ReportProgress]
): Promise<Record<string, Chosen>> {
  const fitted: [string, Chosen][] = []
  for (const [name, chosen] of Object.entries(tasks)) {
    async function* own() {
      for await (const example of examples()) if (String(example[by]) === name) yield example
    }
    fitted.push([name, await fitNested(chosen, own, ...rest)])
  }
  return Object.fromEntries(fitted)
}
