// @ts-check
/** Plugins that have been built. */
import { pathToFileURL } from 'node:url'
import { builtPlugins } from './seeds.mjs'

/** @import { AnyPlugin } from '@attune/core' */

/** A plugin of this repository. @param {string} module path of its module @returns {Promise<AnyPlugin>} */
export const loadPlugin = async (module) => (await import(pathToFileURL(module).href)).default

/** All plugins of some kinds. @param {readonly string[]} kinds @returns {Promise<AnyPlugin[]>} */
export const pluginsOf = (kinds) =>
  Promise.all(kinds.flatMap((kind) => builtPlugins(kind)).map(({ module }) => loadPlugin(module)))
