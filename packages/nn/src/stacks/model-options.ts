import { z } from 'zod'

/** A size option of a model, 1 to 1,000,000. @param what its description */
export const countOption = (what: string) => z.int().min(1).max(1_000_000).describe(what)

/** A dropout option of a model, in [0, 1). @param what its description */
export const probabilityOption = (what: string) => z.number().min(0).lt(1).describe(what)

/** An option of a model that is the id of a token. @param what its description */
export const tokenIdOption = (what: string) => z.int().min(0).max(2_000_000).describe(what)

/** The option `eosTokenId` of a model: one token or several that end a text. */
export const endTokensOption = () =>
  z.union([tokenIdOption('A token'), z.array(tokenIdOption('A token')).min(1).max(16)])
