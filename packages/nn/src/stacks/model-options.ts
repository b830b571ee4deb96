import { z } from 'zod'

/** Size option of a model, 1 to 1,000,000. @param what its description */
export const countOption = (what: string) => z.int().min(1).max(1_000_000).describe(what)

/** Dropout option of a model, in [0, 1). @param what its description */
export const probabilityOption = (what: string) => z.number().min(0).lt(1).describe(what)

/** Token id option of a model. @param what its description */
export const tokenIdOption = (what: string) => z.int().min(0).max(2_000_000).describe(what)

/** Option `eosTokenId` of a model: one or several end-of-sequence tokens. */
export const endTokensOption = () =>
  z.union([tokenIdOption('A token id'), z.array(tokenIdOption('A token id')).min(1).max(16)])
