import { AttuneError, isRecord } from '@attune/core'

type Config = Readonly<Record<string, unknown>>

/** Labels of a saved classifier, by class id. */
export interface SavedLabels {
  /** The labels; undefined if the configuration does not name them. */
  readonly names: readonly string[] | undefined
  /** Value of `problem_type`, if it is a text. */
  readonly problem: string | undefined
}

/** Name of an unnamed class in transformers. */
export const placeholder = (id: number): string => `LABEL_${id}`

/** True if a label is the placeholder of its class id, or the class id itself. */
const isPlaceholder = (name: string, id: number): boolean => name === placeholder(id) || name === String(id)

/** Labels of `id2label`, which has an entry for every class id from 0; undefined otherwise. */
function byId(names: unknown): readonly string[] | undefined {
  if (!isRecord(names)) return undefined
  const labels = Object.keys(names).map((_, id) => (Object.hasOwn(names, id) ? names[id] : undefined))
  return labels.length > 0 && labels.every((name) => typeof name === 'string') ? labels : undefined
}

/** Labels of `label2id`, ordered by class id; undefined if the ids are not 0, 1, …. */
function byName(ids: unknown): readonly string[] | undefined {
  if (!isRecord(ids)) return undefined
  return byId(Object.fromEntries(Object.entries(ids).map(([name, id]) => [String(id), name])))
}

/** @throws AttuneError `BAD_MODEL_FOLDER` if `label2id` has another class id for a label of `id2label` */
function requireAgreement(names: readonly string[], ids: unknown, where: string): void {
  if (!isRecord(ids) || byName(ids)?.every(isPlaceholder) === true) return
  const other = names.findIndex((name, id) => Object.hasOwn(ids, name) && Number(ids[name]) !== id)
  if (other < 0 || new Set(names).size < names.length) return
  const name = names[other]!
  throw new AttuneError(
    'BAD_MODEL_FOLDER',
    `${where}: config.json: expected the same class ids in id2label and label2id, got ${other} and ${JSON.stringify(ids[name])} for ${JSON.stringify(name.slice(0, 80))}`,
    'Correct id2label and label2id, so that both give the class ids of the weights.',
  )
}

/**
 * Reads the labels of a saved model from its configuration. Placeholders (`LABEL_0`, `LABEL_1`, …) and repeated names are not names.
 * @throws AttuneError `BAD_MODEL_FOLDER` if `id2label` and `label2id` disagree
 */
export function savedLabels(config: Config, where: string): SavedLabels {
  const named = byId(config['id2label']) ?? byName(config['label2id'])
  if (named !== undefined) requireAgreement(named, config['label2id'], where)
  const problem = config['problem_type']
  const isUsable = named !== undefined && !named.every(isPlaceholder) && new Set(named).size === named.length
  return { names: isUsable ? named : undefined, problem: typeof problem === 'string' ? problem : undefined }
}

/** The labels of a saved ordinal classifier, from the lowest to the highest; undefined for another model. */
export function orderedLabels({ ordinal_labels: labels }: Config): readonly string[] | undefined {
  return Array.isArray(labels) && labels.every((label) => typeof label === 'string') ? labels : undefined
}

/** Labels that were learned from training examples, in the order of a saved ordinal classifier if it has all of them. */
export const inSavedRanks = (learned: readonly string[], ordered: readonly string[]): readonly string[] =>
  learned.every((label) => ordered.includes(label)) ? ordered : learned

/**
 * Orders labels that were learned from training examples as in the saved model to start from: all labels of the saved model in its order,
 * then the new ones. Labels that have none in common with the saved model are unchanged. Class ids and placeholders as labels are ordered
 * by number.
 */
export function inSavedOrder(learned: readonly string[], { names }: SavedLabels): readonly string[] {
  if (names !== undefined) {
    const [known, seen] = [new Set(names), new Set(learned)]
    return names.some((name) => seen.has(name)) ? [...names, ...learned.filter((name) => !known.has(name))] : learned
  }
  const numbers = learned.map((name) => /^(?:LABEL_)?(\d{1,6})$/.exec(name)?.[1])
  if (numbers.some((number) => number === undefined)) return learned
  return learned.toSorted((a, b) => Number(a.replace('LABEL_', '')) - Number(b.replace('LABEL_', '')))
}
