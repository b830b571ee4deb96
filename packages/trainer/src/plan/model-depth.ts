import { type AnyPlugin, AttuneError, type Model } from '@attune/core'
import { stacksOf } from './layer-stacks.js'

type Options = Readonly<Record<string, unknown>>
type LayerIndices = readonly (number | null)[]
type Depths = ReadonlyMap<string, number>

/** Lists with an entry for each layer, such as `layerTypes`. */
const isPerLayer = (name: string, value: unknown, count: number): value is readonly unknown[] =>
  /^layer/i.test(name) && Array.isArray(value) && value.length === count

/** Options that assign a kind of attention by the index of a layer. */
const BY_INDEX = /EveryNLayers$|WindowPattern$|^maxWindowLayers$|ByInverseLayerIdx$/

/** Numbers of layers by stack; undefined if the plugin rejects the options. */
function depthsOf(plugin: AnyPlugin, options: Options): Depths | undefined {
  if (!plugin.options.safeParse(options).success) return undefined
  return new Map([...stacksOf(plugin(options) as Model)].map(([stack, groups]) => [stack, groups.length]))
}

/** Options with other entries in the per-layer lists of one depth. */
const withLists = (
  options: Options,
  count: number,
  entries: (list: readonly unknown[]) => readonly unknown[],
): Options =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, isPerLayer(name, value, count) ? entries(value) : value]),
  )

/**
 * Finds the option for the number of layers of a stack: the integer option that, increased by 1, adds a layer to it. An option that
 * changes no other stack is preferred.
 */
function depthOption(plugin: AnyPlugin, options: Options, depths: Depths, stack: string): string | undefined {
  const count = depths.get(stack)!
  const complete = plugin.options.parse(options) as Options
  const longer = withLists(options, count, (list) => [...list, list.at(-1)])
  const found = Object.keys(plugin.options.shape).flatMap((name) => {
    if (complete[name] !== count && complete[name] !== undefined) return []
    const tried = depthsOf(plugin, { ...longer, [name]: count + 1 })
    if (tried?.get(stack) !== count + 1) return []
    return [{ name, others: [...depths].filter(([other, n]) => other !== stack && tried.get(other) !== n).length }]
  })
  return found.sort((a, b) => a.others - b.others)[0]?.name
}

/**
 * The options of a model with other numbers of layers. Lists with an entry for each layer follow their layers.
 * @param chosen layers of the model to take, by stack; null for a new one
 * @returns the options, and notes on attention that depends on the index of a layer
 * @throws AttuneError `BAD_OPTIONS` if the number of layers is not an option of the model
 */
export function withDepths(plugin: AnyPlugin, options: Options, chosen: ReadonlyMap<string, LayerIndices>) {
  const depths = depthsOf(plugin, options) ?? new Map<string, number>()
  const named = [...depths].map(
    ([stack, count]) => [stack, count, depthOption(plugin, options, depths, stack)] as const,
  )
  let result = options
  for (const [stack, count, name] of named) {
    const indices = chosen.get(stack)
    if (name === undefined && indices !== undefined && indices.length !== count)
      throw new AttuneError(
        'BAD_OPTIONS',
        `model: \`fromLayers\`: ${plugin.name} has no option for the number of its layers`,
        'List as many layers as the saved model has, or use another model.',
      )
    if (indices !== undefined)
      result = withLists(result, count, (list) => indices.map((index, i) => list[index ?? Math.min(i, count - 1)]))
    if (name !== undefined) result = { ...result, [name]: indices?.length ?? count }
  }
  const complete = plugin.options.parse(options) as Options
  const byIndex = Object.keys(complete).filter((name) => BY_INDEX.test(name) && Boolean(complete[name]))
  const isListed = Object.entries(options).some(([name, value]) =>
    [...depths.values()].some((n) => isPerLayer(name, value, n)),
  )
  const notes = byIndex.map(
    (name) =>
      `\`${name}\` depends on the index of a layer: the attention of moved layers may differ from the saved model's`,
  )
  return { options: result, notes: isListed ? [] : notes }
}
