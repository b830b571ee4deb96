// @ts-check
/** Module hook: `@jest/globals` is jest-globals.mjs. */

const globals = new URL('jest-globals.mjs', import.meta.url).href

/** @type {import('node:module').ResolveHook} */
export const resolve = (specifier, context, next) =>
  specifier === '@jest/globals' ? { url: globals, shortCircuit: true } : next(specifier, context)
