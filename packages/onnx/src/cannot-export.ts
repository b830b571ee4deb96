import { AttuneError } from '@attune/core'

/** Error of a model that cannot be exported. */
export const cannotExport = (why: string, remedy: string): AttuneError => new AttuneError('CANNOT_EXPORT', why, remedy)
