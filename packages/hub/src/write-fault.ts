import { AttuneError } from '@attune/core'
import { diskFault } from '@attune/files'

/**
 * Returns the `CANNOT_WRITE` error for a failed operation on the files of the cache, with a readable cause. Anything
 * but a file-system error is returned unchanged.
 */
export function writeFault(error: unknown, folder: string): unknown {
  const cause = diskFault(error, folder)
  if (cause === undefined) return error
  const { code = '', path: source } = error as NodeJS.ErrnoException
  const { dest: path = source } = error as { readonly dest?: string }
  return new AttuneError(
    'CANNOT_WRITE',
    `the cache ${folder} cannot be used: ${cause} (${code})${path === undefined || path === folder ? '' : `, at ${path}`}`,
    /^E[MN]FILE$/.test(code)
      ? 'Allow more open files (ulimit -n 4096), and repeat the command. Partial downloads are kept.'
      : 'Fix the cause, or choose another folder: HF_HUB_CACHE=FOLDER. Partial downloads are kept.',
    { cause: error },
  )
}
