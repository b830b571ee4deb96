import { AttuneError, type Engine, type HostArray, type Model, type Params, type SavedAdapter } from '@attune/core'
import {
  type Factors,
  type LowRankInput,
  downOf,
  layerSize,
  malformedAdapter,
  newFactors,
  rankOf,
  readLowRank,
  scaleOf,
  upOf,
} from '@attune/nn'
import { type HostFactors, halvesOf, isPrincipal, principalFactors } from './principal-factors.js'

/** Tensors of the factors of all layers, by name. */
export const named = (layers: readonly string[], of: (layer: string) => HostFactors): Record<string, HostArray> =>
  Object.fromEntries(
    layers.flatMap((layer) => {
      const { down, up } = of(layer)
      return [
        [downOf(layer), down],
        [upOf(layer), up],
      ]
    }),
  )

export const pairOf = (arrays: Record<string, HostArray>, layer: string): HostFactors => ({
  down: arrays[downOf(layer)]!,
  up: arrays[upOf(layer)]!,
})

export async function onHost(
  engine: Engine,
  params: Params,
  names: readonly string[],
): Promise<Record<string, HostArray>> {
  const chosen = Object.fromEntries(names.map((name) => [name, params[name]!]))
  return (await engine.read(chosen)) as Record<string, HostArray>
}

/** Ranks and alphas times `by`, with the scale unchanged. */
export function resized(factors: Factors, by: number): Factors {
  const byAlpha = factors.stabilized === true ? Math.sqrt(by) : by
  const each = (values: Readonly<Record<string, number>> = {}, factor: number) =>
    Object.fromEntries(Object.entries(values).map(([layer, value]) => [layer, value * factor]))
  const { rank, alpha, ranks, alphas } = factors
  return { ...factors, rank: rank * by, alpha: alpha * byAlpha, ranks: each(ranks, by), alphas: each(alphas, byAlpha) }
}

/** @throws AttuneError `BAD_OPTIONS` for a rank above the number of singular values */
function requireRanks(factors: Factors, model: Model, params: Params): void {
  for (const layer of factors.layers) {
    const [rank, size] = [rankOf(factors, layer), layerSize(model, params, layer)]
    if (rank > Math.min(...size))
      throw new AttuneError(
        'BAD_OPTIONS',
        `adapter pissa: expected a rank of at most ${Math.min(...size)} for ${layer} [${size.join()}], got ${rank}`,
        'Lower `rank`, or leave out the layer in `targets`.',
      )
  }
}

/** The factors that train, on the device, and their initial values, on the host. */
export interface Start {
  readonly factors: Factors
  readonly tensors: Params
  readonly initial: Record<string, HostArray>
}

/** The principal components of the weights. */
async function principal(engine: Engine, { model, params }: LowRankInput, factors: Factors): Promise<Start['initial']> {
  requireRanks(factors, model, params)
  const weights = await onHost(
    engine,
    params,
    factors.layers.map((layer) => `${layer}.weight`),
  )
  return named(factors.layers, (layer) => {
    const weight = { weight: weights[`${layer}.weight`]!, inputFirst: model.inputFirst === true }
    return principalFactors(weight, rankOf(factors, layer), scaleOf(factors, layer))
  })
}

const notConverted = (): AttuneError =>
  malformedAdapter('is a LoRA adapter that was not converted from PiSSA', 'Use `adapter: { use: lora, from: FOLDER }`.')

/** A saved adapter whose factors are those of training and, in their second halves, the initial ones. */
async function unconverted(engine: Engine, input: LowRankInput, saved: SavedAdapter): Promise<Start> {
  const { factors: doubled, tensors } = readLowRank({ ...input, copies: 2 }, saved)
  const factors = resized(doubled, 1 / 2)
  if (!factors.layers.every((layer) => Number.isInteger(rankOf(factors, layer)))) throw notConverted()
  const names = factors.layers.flatMap((layer) => [downOf(layer), upOf(layer)])
  const both = await onHost(engine, tensors, names)
  const halves = new Map(factors.layers.map((layer) => [layer, halvesOf(pairOf(both, layer))]))
  const part = (index: 0 | 1) => named(factors.layers, (layer) => halves.get(layer)![index])
  if (!factors.layers.every((layer) => isPrincipal(halves.get(layer)![1]))) throw notConverted()
  const heads = Object.fromEntries(Object.entries(tensors).filter(([name]) => !names.includes(name)))
  return { factors, tensors: { ...heads, ...(engine.put(part(0)) as Params) }, initial: part(1) }
}

/**
 * The start of training: the principal components; the factors of a saved PiSSA adapter of peft, whose initial ones are computed from
 * the weights as peft does; or those of an adapter converted to LoRA, which holds both.
 * @throws AttuneError `UNKNOWN_TARGET`, `BAD_ADAPTER`, `BAD_OPTIONS`
 */
export async function startOf(engine: Engine, input: LowRankInput, saved: SavedAdapter | undefined): Promise<Start> {
  if (saved === undefined) {
    const factors = newFactors(input)
    const initial = await principal(engine, input, factors)
    return { factors, tensors: engine.put(initial) as Params, initial }
  }
  if (!/^pissa/i.test(String(saved.config['init_lora_weights']))) return unconverted(engine, input, saved)
  const { factors, tensors } = readLowRank(input, saved)
  return { factors, tensors, initial: await principal(engine, input, factors) }
}
