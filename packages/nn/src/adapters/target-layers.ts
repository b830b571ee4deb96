import { AttuneError, type Model, type Params, nearest } from '@attune/core'
import { z } from 'zod'
import { isOwn, isTokenTable } from './train-only.js'

/** The linear layers to adapt: a named group, or suffixes of layer names. */
export type Targets = 'attention' | 'all-linear' | readonly string[]

/** The option `targets` of adapters of linear layers. */
export const targetsOption = z
  .union([z.enum(['attention', 'all-linear']), z.array(z.string().min(1)).min(1)])
  .default('attention')
  .describe(
    'Linear layers to adapt: those of attention, all of them, or those whose names end in one of these, as in `[query, value]`',
  )

const WEIGHT = '.weight'
const startsWithAny = (name: string, prefixes: readonly string[]): boolean =>
  prefixes.some((prefix) => name.startsWith(prefix))

/** The model's own linear layers: matrices above the embeddings. Tables of biases, as for relative positions, are excluded. */
export function linearLayers(model: Model, params: Params): string[] {
  const embeddings = model.layers.find(({ name }) => name === 'embeddings')?.prefixes ?? []
  const isLinear = (name: string): boolean =>
    params[name]!.rank === 2 && name.endsWith(WEIGHT) && !name.endsWith(`_bias${WEIGHT}`)
  const isHidden = (name: string): boolean =>
    isOwn(model, name) && !startsWithAny(name, embeddings) && !isTokenTable(model, params, name)
  return Object.keys(params)
    .filter((name) => isLinear(name) && isHidden(name))
    .map((name) => name.slice(0, -WEIGHT.length))
}

/** The last components of layer names, without duplicates. */
const endings = (names: readonly string[]): string[] => [...new Set(names.map((name) => name.split('.').at(-1)!))]

function unknownTarget(adapter: string, target: string, layers: readonly string[]): AttuneError {
  const names = endings(layers)
  const near = nearest(target, names)
  return new AttuneError(
    'UNKNOWN_TARGET',
    `adapter ${adapter}: expected the name of a linear layer in \`targets\`, got "${target}"`,
    near.length > 0 ? `Did you mean ${near.join(', ')}?` : `Use one of: ${names.join(', ') || 'none'}.`,
  )
}

/** The layers whose names end in a target. @throws AttuneError `UNKNOWN_TARGET` if there are none. */
function endingIn(adapter: string, target: string, layers: readonly string[]): string[] {
  const found = layers.filter((name) => name === target || name.endsWith(`.${target}`))
  if (found.length === 0) throw unknownTarget(adapter, target, layers)
  return found
}

/**
 * Names of the linear layers to adapt, without `.weight`. A layer belongs to attention if its name, without the model's prefix,
 * contains `attn` or `attention`.
 * @param adapter its name, for the error
 * @throws AttuneError `UNKNOWN_TARGET` with the nearest names.
 */
export function targetLayers(adapter: string, model: Model, params: Params, targets: Targets): string[] {
  const layers = linearLayers(model, params)
  if (typeof targets !== 'string') {
    const chosen = new Set(targets.flatMap((target) => endingIn(adapter, target, layers)))
    return layers.filter((name) => chosen.has(name))
  }
  const found =
    targets === 'attention' ? layers.filter((name) => /att(ention|n)/i.test(name.slice(model.prefix.length))) : layers
  if (found.length > 0) return found
  throw new AttuneError(
    'UNKNOWN_TARGET',
    `adapter ${adapter}: \`targets\` is ${targets}, but the model has no such linear layers`,
    `List layers by name: ${endings(layers).join(', ') || 'the model has none, so use another adapter'}.`,
  )
}
