import type { Adapter, Model, Params } from '@attune/core'
import { splitParams } from './split-params.js'

const startsWithAny = (name: string, prefixes: readonly string[]): boolean =>
  prefixes.some((prefix) => name.startsWith(prefix))

/** True if a parameter belongs to the model itself rather than to a head on it. */
export const isOwn = ({ prefix, layers }: Model, name: string): boolean =>
  name.startsWith(prefix) && layers.some(({ prefixes }) => startsWithAny(name, prefixes))

/** True if a parameter is a matrix with a row for each token: word embeddings, or a language-modeling head. */
export const isTokenTable = ({ wordEmbeddings }: Model, params: Params, name: string): boolean =>
  params[name]!.rank === 2 && params[name]!.shape[0] === params[wordEmbeddings]?.shape[0]

/**
 * Partial fine-tuning: some of the model's own parameters train, and the others keep their pretrained values, without gradients and
 * optimizer state. A head trains too, unless it has a row for each token of the vocabulary, as a language-modeling head has.
 * @param adapter its name, for the error
 * @param select returns a predicate of the names of the model's own parameters that train
 * @throws AttuneError `NOTHING_TRAINS` if no parameter would train
 */
export const trainOnly = (adapter: string, select: (model: Model) => (name: string) => boolean): Adapter => ({
  adapt(model, params) {
    const isChosen = select(model)
    const trains = (name: string): boolean => (isOwn(model, name) ? isChosen(name) : !isTokenTable(model, params, name))
    return { model, ...splitParams(adapter, params, trains) }
  },
})
