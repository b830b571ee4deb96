// @ts-check
/** The Markdown pages of the repository whose snippets are checked. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './packages.mjs'

/** A page: its path from the root, and its text. @typedef {{ path: string, text: string }} Page */

/** @param {string} folder @param {string} base */
const markdownUnder = (folder, base) =>
  existsSync(join(base, folder))
    ? readdirSync(join(base, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.md'))
        .sort()
        .map((file) => `${folder}/${file}`)
    : []

/** The Markdown pages under some folders of the root. @param {readonly string[]} folders @returns {Page[]} */
export const pagesUnder = (folders, base = root) =>
  folders
    .flatMap((folder) => markdownUnder(folder, base))
    .map((path) => ({ path, text: readFileSync(join(base, path), 'utf8') }))

/** Folders of pages that teach: their programs run, and their configurations are validated. */
export const TEACHING = ['docs/start', 'docs/concepts', 'docs/guides']
