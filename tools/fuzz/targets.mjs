// @ts-check
/** All readers of data from outside: a module for each group of them. */
import { readdirSync } from 'node:fs'

/** The modules of targets, as URLs. */
export const targetModules = () =>
  readdirSync(new URL('targets/', import.meta.url))
    .filter((name) => name.endsWith('.mjs'))
    .sort()
    .map((name) => new URL(`targets/${name}`, import.meta.url).href)
