// @ts-check
/** Built plugins of this repository. */
import { pathToFileURL } from 'node:url'
import { builtPlugins } from './seeds.mjs'

/** @import { AnyPlugin } from '@attune/core' */

/** Loads a plugin. @param {string} module path of its module @returns {Promise<AnyPlugin>} */
export const loadPlugin = async (module) => (await import(pathToFileURL(module).href)).default

/** Loads all plugins of some kinds. @param {readonly string[]} kinds @returns {Promise<AnyPlugin[]>} */
export const pluginsOf = (kinds) =>
  Promise.all(kinds.flatMap((kind) => builtPlugins(kind)).map(({ module }) => loadPlugin(module)))
