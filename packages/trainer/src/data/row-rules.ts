import { AttuneError, type Chosen, type Example, fieldsRead, pluginsIn } from '@attune/core'

/** An objective's options without nested plugins: nested objectives (tasks) may each have their own rows. */
export const withoutNested = ({ plugin, options }: Chosen): Pick<Chosen, 'plugin' | 'options'> => ({
  plugin,
  options: Object.fromEntries(Object.entries(options).filter(([, value]) => pluginsIn(value).length === 0)),
})

const isBlank = (value: unknown): boolean => typeof value === 'string' && !/\S/.test(value)

const valueOf = (example: Example, field: string): unknown =>
  Object.hasOwn(example, field) ? example[field] : undefined

/** True for a blank text, and for a list of blank words. */
const isEmptyText = (value: unknown): boolean =>
  isBlank(value) || (Array.isArray(value) && value.length > 0 && value.every(isBlank))

/** Fields of the options that are marked with `.meta({ field, required: true })`: those whose text must not be empty. */
const requiredTexts = ({ plugin, options }: Pick<Chosen, 'plugin' | 'options'>): readonly string[] =>
  Object.entries(options).flatMap(([name, value]) =>
    typeof value === 'string' && plugin.options.shape[name]?.meta()?.['required'] === true ? [value] : [],
  )

const noLabel = (field: string): AttuneError =>
  new AttuneError(
    'MISSING_FIELD',
    `expected a label in field "${field}", got an empty one`,
    'Fill in the label, or remove the row. If the empty text is a class, list it: `labels: ["", ...]` in the objective.',
  )

const noText = (field: string, title: string): AttuneError =>
  new AttuneError(
    'EMPTY_TEXT',
    `objective ${title}: expected a text in field "${field}", got an empty one, which has no token to predict`,
    'Remove the row, or set `onBadRow: skip` to skip such rows and record them in a rejects file.',
  )

/** Finds the fault of an example. */
export type FaultFinder = (example: Example) => AttuneError | undefined

/** Rules for the rows of an objective: no empty labels, and no empty texts if the objective cannot use them. */
export function rowRules(objective: Chosen): FaultFinder {
  const own = withoutNested(objective)
  const { labels: given } = own.options as { readonly labels?: unknown }
  const isClass = (value: unknown): boolean => Array.isArray(given) && given.includes(value)
  const isUnlabelled = (value: unknown): boolean =>
    Array.isArray(value) ? value.some(isUnlabelled) : isBlank(value) && !isClass(value)
  const [labels, texts] = [fieldsRead(own, 'label'), requiredTexts(own)]
  return (example) => {
    for (const field of labels) if (isUnlabelled(valueOf(example, field))) return noLabel(field)
    for (const field of texts) if (isEmptyText(valueOf(example, field))) return noText(field, objective.plugin.name)
    return undefined
  }
}

/** Returns the field of an example that holds an empty text although the objective reads it; undefined if there is none. */
export function emptyTextFinder(objective: Chosen): (example: Example) => string | undefined {
  const own = withoutNested(objective)
  const fields = [...fieldsRead(own, 'text'), ...fieldsRead(own, 'words')]
  return (example) => fields.find((field) => isEmptyText(valueOf(example, field)))
}
