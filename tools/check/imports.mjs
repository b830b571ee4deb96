// @ts-check
/** Import specifiers of a module, found with the TypeScript compiler's scanner. */
import { posix } from 'node:path'
import ts from 'typescript'

/** @param {string} text @returns {string[]} */
export const importsOf = (text) => ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)

/** Package name of a bare import: `@scope/name` for `@scope/name/part`. @param {string} name */
export const packageOf = (name) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

/** File that a relative import resolves to. @param {string} from @param {string} to */
export const resolveRelative = (from, to) => posix.join(posix.dirname(from), to).replace(/\.js$/, '.ts')
