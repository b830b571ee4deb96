import { AttuneError, type Model, type Objective, isRecord, shortened } from '@attune/core'
import { type SavedLabels, orderedLabels, placeholder, savedLabels } from './saved-labels.js'

type Config = Readonly<Record<string, unknown>>

/** Rows of a saved classification head for the labels of a run. */
export interface LabelRows {
  /** Saved row of each label, -1 for a new one; undefined if the saved head is not used. */
  readonly from: readonly number[] | undefined
  /** Differences to report, one sentence each. */
  readonly notes: readonly string[]
}

/** A saved classification head whose rows are matched with the labels of a run. */
export interface SavedHead {
  /** Parameters with one row per label. */
  readonly names: ReadonlySet<string>
  /** Returns the rows, for the number of rows in the checkpoint; undefined if the shapes decide. */
  rows(count: number): LabelRows | undefined
}

const SHOWN = 8
const listed = (labels: readonly string[]): string =>
  labels
    .slice(0, SHOWN)
    .map((label) => shortened(label, 40))
    .join(', ') + (labels.length > SHOWN ? `, and ${labels.length - SHOWN} more` : '')

const again = (why: string): LabelRows => ({
  from: undefined,
  notes: [`the classification head is newly initialized: ${why}`],
})

/** Rows of a head whose labels the saved model does not name: those of its class ids, if the labels are given in their order. */
function unnamed(labels: readonly string[], count: number, areGiven: boolean): LabelRows | undefined {
  const ids = labels.map((label, id) => (label === String(id) || label === placeholder(id) ? id : -1))
  if (labels.length === count && !ids.includes(-1)) return { from: ids, notes: [] }
  if (areGiven && labels.length !== count) return undefined
  if (areGiven)
    return {
      from: labels.map((_, id) => id),
      notes: [
        `the saved model does not name its ${count} labels: its class ids are taken in the order of the configured labels (${listed(labels)})`,
      ],
    }
  return again(
    `the saved model does not name its ${count} labels. To keep its head, configure \`labels\` in the order of its class ids`,
  )
}

/** Differences between the labels of a run and those of the saved model. */
function differences(labels: readonly string[], from: readonly number[], saved: readonly string[]): string[] {
  const added = labels.filter((_, i) => from[i] === -1)
  const lost = saved.filter((_, id) => !from.includes(id))
  const kept = from.filter((id) => id >= 0)
  const moved = kept.some((id, i) => i > 0 && id < kept[i - 1]!)
  return [
    ...(added.length > 0 ? [`newly initialized rows of the head for labels of this run only: ${listed(added)}`] : []),
    ...(lost.length > 0 ? [`labels of the saved model that this run does not have: ${listed(lost)}`] : []),
    ...(moved ? [`the rows of the saved head are reordered to the configured labels: ${listed(labels)}`] : []),
  ]
}

/** Matches the labels of a run with the rows of a saved head, by name; undefined if there are no names and the numbers differ. */
export function labelRows(
  labels: readonly string[],
  { names, problem }: SavedLabels,
  count: number,
  areGiven: boolean,
): LabelRows | undefined {
  const isRegression = problem === 'regression' || count === 1
  if (isRegression && labels.length > 1) return again('that of the saved model is for regression')
  if (names === undefined) return unnamed(labels, count, areGiven)
  if (names.length !== count) return again(`the saved model names ${names.length} labels, its head has ${count} rows`)
  const ids = new Map(names.map((name, id) => [name, id]))
  const from = labels.map((label) => ids.get(label) ?? -1)
  if (from.every((id) => id < 0))
    return again(`expected a label of the saved model (${listed(names)}), got ${listed(labels)}`)
  const sigmoid =
    problem === 'multi_label_classification'
      ? ['the saved model was trained for several labels per example, this run trains one label per example']
      : []
  return { from, notes: [...differences(labels, from, names), ...sigmoid] }
}

/** The labels of an objective, if it has any. */
function labelsOf({ config }: Pick<Objective, 'config'>): readonly string[] | undefined {
  const names = config['id2label']
  return isRecord(names) ? Object.keys(names).map((_, id) => String(names[id])) : undefined
}

/** Rows for one label each in the head of an objective. */
function rowNames({ heads }: Pick<Model, 'heads'>, architecture: unknown): readonly string[] {
  const head = Object.values(heads).find((each) => each.architecture === architecture)
  const { 'classifier.weight': weight, 'classifier.bias': bias } = head?.tensors ?? {}
  return weight === undefined ? [] : [weight, ...(bias === undefined ? [] : [bias])]
}

/** Name of the thresholds between ordered labels in checkpoints. */
const THRESHOLDS = 'ordinal.thresholds'

/** The head of an ordinal classifier, which is initialized if its labels or their order differ from the saved ones; undefined if not. */
function ordinalHead(names: readonly string[], own: Config, saved: Config): SavedHead | undefined {
  const [labels, theirs] = [orderedLabels(own), orderedLabels(saved)]
  if (labels === undefined || theirs === undefined || JSON.stringify(labels) === JSON.stringify(theirs))
    return undefined
  const why = `the saved model orders its labels ${listed(theirs)}, this run ${listed(labels)}`
  return { names: new Set([...names, THRESHOLDS]), rows: () => again(why) }
}

/**
 * Describes the saved head of a classifier to start from; undefined if the objective is not a classifier of this family.
 * @param config the saved configuration
 * @param areGiven true if the configuration of the run lists the labels; false if they are learned from the training examples
 * @throws AttuneError `BAD_MODEL_FOLDER` if `id2label` and `label2id` disagree
 */
export function savedHead(
  { model, objective }: { readonly model: Pick<Model, 'heads'>; readonly objective: Pick<Objective, 'config'> },
  config: Config,
  where: string,
  areGiven: boolean,
): SavedHead | undefined {
  const labels = labelsOf(objective)
  const [own] = [objective.config['architectures']].flat()
  const names = labels === undefined ? [] : rowNames(model, own)
  if (labels === undefined || names.length === 0) return undefined
  const [theirs] = [config['architectures']].flat()
  const ordinal = ordinalHead(names, objective.config, config)
  if (ordinal !== undefined) return ordinal
  const isOther = theirs !== own && rowNames(model, theirs).length > 0
  const { names: savedNames, problem } = savedLabels(config, where)
  const isSame = problem === objective.config['problem_type']
  const saved = { names: savedNames, problem: isSame ? undefined : problem }
  return {
    names: new Set(names),
    rows: (count) =>
      isOther ? again(`that of the saved model is of ${String(theirs)}`) : labelRows(labels, saved, count, areGiven),
  }
}

/**
 * Rows of a head that must have every label of the run, such as a teacher's.
 * @throws AttuneError `LABEL_MISMATCH`
 */
export function requireEveryLabel(head: SavedHead, where: string): SavedHead {
  return {
    ...head,
    rows(count) {
      const rows = head.rows(count)
      if (rows === undefined || (rows.from !== undefined && !rows.from.includes(-1))) return rows
      throw new AttuneError(
        'LABEL_MISMATCH',
        `${where}: expected a head with the labels of the run, got another: ${rows.notes.join('; ')}`,
        'Use a model that was trained with these labels, or configure the labels of the saved model.',
      )
    },
  }
}
