import { AttuneError } from '@attune/core'
import { diskFault } from './disk-fault.js'

/**
 * Makes the error `CANNOT_WRITE` of an error of the file system, whose cause it names.
 * @param remedy one sentence in the imperative
 */
export const writeFault = (path: string, cause: unknown, remedy: string): AttuneError =>
  new AttuneError(
    'CANNOT_WRITE',
    `${path} could not be written: ${diskFault(cause, path) ?? (cause as Error).message}`,
    remedy,
    { cause },
  )
