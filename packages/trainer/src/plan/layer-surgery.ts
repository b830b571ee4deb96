import { type AnyPlugin, AttuneError, type LayerGroup, type Model, excerpt, nearest } from '@attune/core'
import { z } from 'zod'
import { type Stacks, stacksOf } from './layer-stacks.js'
import { withDepths } from './model-depth.js'

/** Layers of one stack: indices in the saved model in their new order; null adds a layer that is initialized at random. */
const layerList = z.array(z.int().min(0).max(10_000).nullable()).min(1).max(1000)

/** The options `fromLayers` and `reinitialize` of a configuration's `model`. */
export const surgerySchema = z.object({
  fromLayers: z.union([layerList, z.record(z.string(), layerList)]).optional(),
  reinitialize: z
    .array(z.union([z.int().min(0), z.string().min(1)]))
    .min(1)
    .optional(),
})

/** Origin of the parameters of a model whose layers differ from those of the saved model that it starts from. */
export const layerMapSchema = z.object({
  /** Prefix in the saved model by prefix in this model, for the layers that differ; null for those initialized at random. */
  from: z.record(z.string(), z.string().nullable()),
  /** Prefixes of the saved model that are not loaded. */
  unused: z.array(z.string()),
  /** True if the head is initialized at random. */
  newHead: z.boolean(),
})

export type LayerMap = z.output<typeof layerMapSchema>
type Surgery = z.output<typeof surgerySchema>
type Options = Readonly<Record<string, unknown>>
type LayerIndices = readonly (number | null)[]

const refuse = (problem: string, remedy: string): AttuneError =>
  new AttuneError('BAD_OPTIONS', `model: ${problem}`, remedy)

/** The layers to take, by stack. @throws AttuneError `BAD_OPTIONS` for an unknown stack or index */
function chosenLayers(stacks: Stacks, given: Surgery['fromLayers'], name: string): ReadonlyMap<string, LayerIndices> {
  if (given === undefined) return new Map()
  const names = [...stacks.keys()]
  if (names.length === 0) throw refuse(`\`fromLayers\`: ${name} has no numbered layers`, 'Remove `fromLayers`.')
  if (Array.isArray(given) && names.length > 1)
    throw refuse(
      `\`fromLayers\`: expected a list for each stack of ${name}, got one list`,
      `Write \`fromLayers: { ${names.map((each) => `${each}: [0, …]`).join(', ')} }\`; a stack that is left out keeps all its layers.`,
    )
  const lists: Readonly<Record<string, LayerIndices>> = Array.isArray(given) ? { [names[0]!]: given } : given
  for (const [stack, indices] of Object.entries(lists)) {
    const count = stacks.get(stack)?.length
    if (count === undefined)
      throw refuse(`\`fromLayers\`: expected a stack of ${name}, got ${excerpt(stack)}`, `Use ${names.join(' and ')}.`)
    const beyond = indices.find((index) => index !== null && index >= count)
    if (beyond !== undefined)
      throw refuse(
        `\`fromLayers\`: expected layers from 0 to ${count - 1} of the saved model, got ${beyond}`,
        'List the layers to take, counted from 0; null adds a new layer.',
      )
  }
  return new Map(Object.entries(lists))
}

/** The groups of the new model that `reinitialize` names: a layer by its index, a group by its name, or the head. */
function groupsToReset(model: Model, given: Surgery['reinitialize'] = []): { groups: LayerGroup[]; newHead: boolean } {
  const stacks = [...stacksOf(model).values()]
  const names = [...model.layers.map(({ name }) => name), 'head']
  const groups = given.flatMap((item): LayerGroup[] => {
    if (item === 'head') return []
    const [only, ...others] = stacks
    const found =
      typeof item === 'string'
        ? model.layers.find(({ name }) => name === item)
        : others.length === 0
          ? only?.[item]
          : undefined
    if (found !== undefined) return [found]
    const near = typeof item === 'string' ? nearest(item, names) : []
    throw refuse(
      `\`reinitialize\`: expected an index of a layer of the new model, or the name of a part, got ${excerpt(item)}`,
      near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Use some of: ${names.join(', ')}.`,
    )
  })
  return { groups, newHead: given.includes('head') }
}

/** Prefixes of the new layers of the stacks that `fromLayers` names, with those of the saved model. */
function movedPrefixes(before: Stacks, after: Stacks, chosen: ReadonlyMap<string, LayerIndices>) {
  return [...chosen].flatMap(([stack, indices]) => {
    const [saved, own] = [before.get(stack)!, after.get(stack)!]
    return indices.flatMap((index, i) =>
      own[i]!.prefixes.map((prefix, at): [string, string | null] => [
        prefix,
        index === null ? null : saved[index]!.prefixes[at]!,
      ]),
    )
  })
}

/** Sentences for the load report: the origin of every layer, and what is left out. */
function notesOf(before: Stacks, chosen: ReadonlyMap<string, LayerIndices>, fresh: readonly string[]): string[] {
  const ofStack = ([stack, indices]: readonly [string, LayerIndices]): string[] => {
    const kind = stack === 'layer' ? 'layers' : `${stack} layers`
    const left = before.get(stack)!.flatMap((_, i) => (indices.includes(i) ? [] : [i]))
    return [
      `${kind} from the saved model, new ← saved: ${indices.map((index, i) => `${i} ← ${index ?? 'new'}`).join(', ')}`,
      ...(left.length > 0 ? [`${kind} of the saved model that are left out: ${left.join(', ')}`] : []),
    ]
  }
  return [
    ...[...chosen].flatMap(ofStack),
    ...(fresh.length > 0 ? [`initialized at random on request: ${fresh.join(', ')}`] : []),
  ]
}

/** The options of a model after layer surgery, and where its parameters come from. */
export interface PlannedSurgery {
  readonly options: Options
  readonly layerMap: LayerMap
  readonly notes: readonly string[]
}

/**
 * Plans layer surgery: layers of a saved model that are left out, repeated, reordered, added or initialized at random.
 * @param saved options of the saved model
 * @param written options in the configuration, which take precedence
 * @throws AttuneError `BAD_OPTIONS` for layers that the model does not have, or a model whose number of layers is not an option
 */
export function planSurgery(plugin: AnyPlugin, saved: Options, written: Options, surgery: Surgery): PlannedSurgery {
  const model = plugin(saved) as Model
  const before = stacksOf(model)
  const chosen = chosenLayers(before, surgery.fromLayers, plugin.name)
  const resized = chosen.size === 0 ? { options: saved, notes: [] } : withDepths(plugin, saved, chosen)
  const options = { ...resized.options, ...written }
  const changed = plugin(options) as Model
  const after = stacksOf(changed)
  for (const [stack, indices] of chosen)
    if (after.get(stack)?.length !== indices.length)
      throw refuse(
        `\`fromLayers\` lists ${indices.length} layers, but the options say ${after.get(stack)?.length ?? 0}`,
        'Remove the option with the number of layers: it follows from `fromLayers`.',
      )
  const { groups, newHead } = groupsToReset(changed, surgery.reinitialize)
  const reset = groups.flatMap(({ prefixes }) => prefixes)
  const from = Object.fromEntries([
    ...movedPrefixes(before, after, chosen),
    ...reset.map((prefix): [string, null] => [prefix, null]),
  ])
  const taken = new Set(Object.values(from))
  const ofSaved = [...chosen.keys()].flatMap((stack) => before.get(stack)!.flatMap(({ prefixes }) => prefixes))
  const unused = [...ofSaved, ...reset].filter((prefix) => !taken.has(prefix))
  const names = [...groups.map(({ name }) => name), ...(newHead ? ['head'] : [])]
  return { options, layerMap: { from, unused, newHead }, notes: [...notesOf(before, chosen, names), ...resized.notes] }
}

/**
 * The name of a parameter in the saved model; undefined if it is initialized at random.
 * @param prefix name prefix of the model's parameters without the head
 */
export function nameInSaved(map: LayerMap | undefined, prefix: string, name: string): string | undefined {
  if (map === undefined) return name
  const at = Object.keys(map.from).find((each) => name.startsWith(each))
  if (at === undefined) return map.newHead && !name.startsWith(prefix) ? undefined : name
  const source = map.from[at]
  return source == null ? undefined : source + name.slice(at.length)
}
