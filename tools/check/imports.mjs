// @ts-check
/** What a module imports, read off its text by the TypeScript compiler's scanner. */
import { posix } from 'node:path'
import ts from 'typescript'

/** @param {string} text @returns {string[]} */
export const importsOf = (text) => ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)

/** The package of a bare import, as in `@scope/name` for `@scope/name/part`. @param {string} name */
export const packageOf = (name) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

/** The file that a relative import of another leads to. @param {string} from @param {string} to */
export const resolveRelative = (from, to) => posix.join(posix.dirname(from), to).replace(/\.js$/, '.ts')
