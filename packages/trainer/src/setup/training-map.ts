import type { Adapted, Engine, HostArray, Model, Params } from '@attune/core'

/** Kinds of parameters, the columns of a training map. */
export type PartName = 'embeddings' | 'attention' | 'feed-forward' | 'norms' | 'head' | 'other'

/** Numbers of values of one kind at one depth. */
export interface TrainingPart {
  /** Values of the model itself. */
  readonly parameters: number
  /** Values of the model itself that train; those that a mask freezes are not counted. */
  readonly trainable: number
  /** Values that the adapter adds, all of which train. */
  readonly added: number
}

/** A layer group of the model, or `head`, and the kinds of parameters in it. */
export interface TrainingGroup {
  readonly name: string
  readonly parts: Readonly<Partial<Record<PartName, TrainingPart>>>
}

/** The parameters that train, by layer group in depth order and by kind. */
export interface TrainingMap {
  readonly groups: readonly TrainingGroup[]
}

/** Numbers of values by parameter name. */
export type Sizes = Readonly<Record<string, number>>

/** Inputs of {@link trainingMap}. */
export interface TrainingSizes {
  /** The model's parameters before the adapter. */
  readonly model: Sizes
  /** The trainable parameters: of the model, and new ones. */
  readonly trainable: Sizes
  /** Numbers of values that train in masked parameters. Default: all train. */
  readonly unmasked?: Sizes
}

/** Numbers of values of tensors, by name. */
export const sizesOf = (params: Params): Sizes =>
  Object.fromEntries(Object.entries(params).map(([name, { size }]) => [name, size]))

/** Reads the numbers of values that the masks of an adapter let train. */
export async function unmaskedSizes(engine: Engine, { masks = {} }: Adapted): Promise<Sizes> {
  if (Object.keys(masks).length === 0) return {}
  const read = (await engine.read(masks)) as unknown as Record<string, HostArray>
  const ones = ({ values }: HostArray): number => {
    let count = 0
    for (const value of values) if (value !== 0) count++
    return count
  }
  return Object.fromEntries(Object.entries(read).map(([name, mask]) => [name, ones(mask)]))
}

/** The members of a model that group its parameters. */
type Described = Pick<Model, 'layers' | 'encoder' | 'prefix'>

const NORM = /norm|(^|\.)ln_\w+\./i
const ATTENTION = /att(ention|n)/i

/** Name of the group of a parameter: a layer group, `frozen encoder`, `head`, or `added` for an adapter's own. */
function groupOf({ layers, encoder }: Described, name: string, isNew: boolean): string {
  const group = layers.find(({ prefixes }) => prefixes.some((prefix) => name.startsWith(prefix)))
  if (encoder !== undefined && name.startsWith(encoder.prefix)) return 'frozen encoder'
  return group?.name ?? (isNew ? 'added' : 'head')
}

/** The kind of a parameter. Layers without attention, as of recurrent networks, have no feed-forward part. */
function partOf(group: string, name: string, hasAttention: boolean): PartName {
  if (group === 'head' || group === 'pooler') return 'head'
  if (NORM.test(name)) return 'norms'
  if (group === 'embeddings' || (group === 'added' && /embed|prompt/.test(name))) return 'embeddings'
  if (ATTENTION.test(name)) return 'attention'
  return hasAttention ? 'feed-forward' : 'other'
}

const plus = (a: TrainingPart | undefined, b: TrainingPart): TrainingPart => ({
  parameters: (a?.parameters ?? 0) + b.parameters,
  trainable: (a?.trainable ?? 0) + b.trainable,
  added: (a?.added ?? 0) + b.added,
})

/**
 * Sums up what trains, by layer group and kind of parameter: embeddings, attention, feed-forward, norms, head (with the pooler), and
 * other parameters. The kind follows from the name of a parameter.
 */
export function trainingMap(described: Described, { model, trainable, unmasked = {} }: TrainingSizes): TrainingMap {
  const names = [...Object.keys(model), ...Object.keys(trainable).filter((name) => !Object.hasOwn(model, name))]
  const short = (name: string): string =>
    name.startsWith(described.prefix) ? name.slice(described.prefix.length) : name
  const grouped = names.map((name) => [name, groupOf(described, name, !Object.hasOwn(model, name))] as const)
  const withAttention = new Set(grouped.flatMap(([name, group]) => (ATTENTION.test(short(name)) ? [group] : [])))
  const groups = new Map<string, Partial<Record<PartName, TrainingPart>>>()
  for (const name of [...described.layers.map((group) => group.name), 'frozen encoder', 'head', 'added'])
    groups.set(name, {})
  for (const [name, group] of grouped) {
    const parts = groups.get(group)!
    const part = partOf(group, short(name), withAttention.has(group))
    const isNew = !Object.hasOwn(model, name)
    const trains = Object.hasOwn(trainable, name) ? (unmasked[name] ?? trainable[name]!) : 0
    const one = isNew
      ? { parameters: 0, trainable: 0, added: trains }
      : { parameters: model[name]!, trainable: trains, added: 0 }
    parts[part] = plus(parts[part], one)
  }
  return {
    groups: [...groups].flatMap(([name, parts]) => (Object.keys(parts).length === 0 ? [] : [{ name, parts }])),
  }
}

/** Number of values that train. */
export const countTraining = ({ groups }: TrainingMap): number =>
  groups.flatMap(({ parts }) => Object.values(parts)).reduce((sum, { trainable, added }) => sum + trainable + added, 0)

/** Sums up what trains under an adapter; `model` has the numbers of values before it. */
export async function mapTraining(
  { engine, model }: { readonly engine: Engine; readonly model: Described },
  adapted: Adapted,
  sizes: Sizes,
): Promise<TrainingMap> {
  const unmasked = await unmaskedSizes(engine, adapted)
  return trainingMap(model, { model: sizes, trainable: sizesOf(adapted.trainable), unmasked })
}
