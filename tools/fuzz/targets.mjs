// @ts-check
/** All readers of external data: one module per group. */
import { readdirSync } from 'node:fs'

/** URLs of the target modules. */
export const targetModules = () =>
  readdirSync(new URL('targets/', import.meta.url))
    .filter((name) => name.endsWith('.mjs'))
    .sort()
    .map((name) => new URL(`targets/${name}`, import.meta.url).href)
