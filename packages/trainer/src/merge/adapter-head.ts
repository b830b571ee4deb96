import { AttuneError, type Model, type Params, isRecord } from '@attune/core'

const PREFIX = 'base_model.model.'

/** The task head that an adapter was saved with and that its base model lacks. */
export interface AdapterHead {
  /** Its tensors, by name in the model with the head. */
  readonly tensors: Params
  /** Changes of `config.json`: the class with this head, and its labels. */
  readonly config: Readonly<Record<string, unknown>>
}

/** Inputs of {@link headOf}. */
interface HeadChoice {
  readonly objective?: string | undefined
  readonly labels?: readonly string[] | undefined
}

const refuse = (problem: string, remedy: string): AttuneError => new AttuneError('BAD_ADAPTER', problem, remedy)

/** The objective whose head has exactly these tensors. */
function objectiveFor({ heads }: Model, names: readonly string[], given: string | undefined): string {
  const fitting = Object.keys(heads).filter((name) => {
    const wanted = Object.values(heads[name]!.tensors)
    return wanted.length === names.length && wanted.every((each) => names.includes(each))
  })
  if (given !== undefined && fitting.includes(given)) return given
  if (given === undefined && fitting.length === 1) return fitting[0]!
  throw refuse(
    `the saved adapter has a head that its base model lacks (${names.join(', ')}): expected ${given === undefined ? 'one objective with such a head' : `a head of the objective ${given}`}, got ${fitting.join(' and ') || 'none'}`,
    fitting.length > 0
      ? `Name the objective of the adapter: --objective ${fitting[0]}.`
      : 'Use the model with a head that the adapter was trained on.',
  )
}

/** `id2label` and `label2id` of a head with a row for each label. */
function labelConfig(rows: number, labels: readonly string[] | undefined, saved: unknown): AdapterHead['config'] {
  const names = labels ?? (isRecord(saved) && Object.keys(saved).length === rows ? undefined : placeholders(rows))
  if (names === undefined) return {}
  if (names.length !== rows)
    throw refuse(
      `the head of the saved adapter has ${rows} labels, got ${names.length} names in --labels`,
      'Name every label, in the order of the class ids.',
    )
  return {
    id2label: Object.fromEntries(names.map((name, id) => [id, name])),
    label2id: Object.fromEntries(names.map((name, id) => [name, id])),
  }
}

/** Names of classes without one, as in transformers. */
const placeholders = (count: number): string[] => Array.from({ length: count }, (_, id) => `LABEL_${id}`)

/**
 * Tensors of a task head in a saved adapter, by name in the model.
 * @param known names of tensors that the base model has
 */
export function headTensors({ heads }: Model, tensors: Params, known: ReadonlySet<string> = new Set()): Params {
  const possible = new Set(Object.values(heads).flatMap((head) => Object.values(head.tensors)))
  const found = Object.entries(tensors).flatMap(([name, tensor]) => {
    const plain = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name
    return possible.has(plain) && !known.has(plain) ? [[plain, tensor] as const] : []
  })
  return Object.fromEntries(found)
}

/**
 * The head that a saved adapter has and its base model lacks. Undefined if there is none.
 * @param known names of the base model's tensors
 * @throws AttuneError `BAD_ADAPTER` if no objective, or several, have such a head
 */
export function headOf(
  model: Model,
  { tensors, config }: { readonly tensors: Params; readonly config: Readonly<Record<string, unknown>> },
  known: ReadonlySet<string>,
  { objective, labels }: HeadChoice = {},
): AdapterHead | undefined {
  const own = headTensors(model, tensors, known)
  if (Object.keys(own).length === 0) return undefined
  const head = model.heads[objectiveFor(model, Object.keys(own), objective)]!
  const classifier = own[head.tensors['classifier.weight'] ?? '']
  const named = classifier === undefined ? {} : labelConfig(classifier.shape[0]!, labels, config['id2label'])
  return { tensors: own, config: { architectures: [head.architecture], ...named } }
}
