import { AttuneError, type Model, type Params, nearest } from '@attune/core'

/** Which dense layers to adapt: a part of the model, or the ends of their names. */
export type Targets = 'attention' | 'all-linear' | readonly string[]

const WEIGHT = '.weight'
const startsWithAny = (name: string, prefixes: readonly string[]): boolean =>
  prefixes.some((prefix) => name.startsWith(prefix))

/** Whether a parameter is of the model itself rather than of a head on it. */
export const isOwn = ({ prefix, layers }: Model, name: string): boolean =>
  name.startsWith(prefix) && layers.some(({ prefixes }) => startsWithAny(name, prefixes))

/** Whether a parameter is a matrix with a row for each token: word embeddings, or the head that writes tokens. */
export const isTokenTable = ({ wordEmbeddings }: Model, params: Params, name: string): boolean =>
  params[name]!.rank === 2 && params[name]!.shape[0] === params[wordEmbeddings]?.shape[0]

/** The model's own dense layers: matrices above the embeddings. A table of biases, as for relative positions, is none. */
export function denseLayers(model: Model, params: Params): string[] {
  const embeddings = model.layers.find(({ name }) => name === 'embeddings')?.prefixes ?? []
  const isDense = (name: string): boolean =>
    params[name]!.rank === 2 && name.endsWith(WEIGHT) && !name.endsWith(`_bias${WEIGHT}`)
  const isHidden = (name: string): boolean =>
    isOwn(model, name) && !startsWithAny(name, embeddings) && !isTokenTable(model, params, name)
  return Object.keys(params)
    .filter((name) => isDense(name) && isHidden(name))
    .map((name) => name.slice(0, -WEIGHT.length))
}

/** Names as people write them: without their numbers, each once. */
const endings = (names: readonly string[]): string[] => [...new Set(names.map((name) => name.split('.').at(-1)!))]

function unknownTarget(target: string, layers: readonly string[]): AttuneError {
  const names = endings(layers)
  const near = nearest(target, names)
  return new AttuneError(
    'UNKNOWN_TARGET',
    `adapter lora: no dense layer is called "${target}"`,
    near.length > 0 ? `Nearest: ${near.join(', ')}.` : `There are: ${names.join(', ') || 'none'}.`,
  )
}

/** The layers whose names end in a target. @throws AttuneError `UNKNOWN_TARGET` if there is none. */
function endingIn(target: string, layers: readonly string[]): string[] {
  const found = layers.filter((name) => name === target || name.endsWith(`.${target}`))
  if (found.length === 0) throw unknownTarget(target, layers)
  return found
}

/**
 * The names of the dense layers to adapt, without `.weight`. Attention is what checkpoints call so: a layer is a part of it
 * if its name, behind the model's prefix, speaks of `attn` or `attention`.
 * @throws AttuneError `UNKNOWN_TARGET` with the nearest names there are.
 */
export function targetLayers(model: Model, params: Params, targets: Targets): string[] {
  const layers = denseLayers(model, params)
  if (typeof targets !== 'string') {
    const chosen = new Set(targets.flatMap((target) => endingIn(target, layers)))
    return layers.filter((name) => chosen.has(name))
  }
  const found =
    targets === 'attention' ? layers.filter((name) => /att(ention|n)/i.test(name.slice(model.prefix.length))) : layers
  if (found.length > 0) return found
  throw new AttuneError(
    'UNKNOWN_TARGET',
    `adapter lora: \`targets\` is ${targets}, and the model has no such dense layers`,
    `Name some of its layers: ${endings(layers).join(', ') || 'it has none, so take another adapter'}.`,
  )
}
