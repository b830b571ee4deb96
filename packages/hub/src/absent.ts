const CODES = ['ENOENT', 'ENOTDIR', 'ELOOP']

/** Returns undefined for the error that a file does not exist. @throws any other error, unchanged */
export const absent = (error: unknown): undefined => {
  if (CODES.includes(String((error as NodeJS.ErrnoException).code))) return undefined
  throw error
}
