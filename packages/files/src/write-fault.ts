import { AttuneError } from '@attune/core'
import { diskFault } from './disk-fault.js'

/**
 * Creates the error `CANNOT_WRITE` from a file system error, with a description of its cause.
 * @param remedy one imperative sentence
 */
export const writeFault = (path: string, cause: unknown, remedy: string): AttuneError =>
  new AttuneError(
    'CANNOT_WRITE',
    `${path} could not be written: ${diskFault(cause, path) ?? (cause as Error).message}`,
    remedy,
    { cause },
  )
