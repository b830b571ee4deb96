// @ts-check
/** Bundles modules of examples/browser for browsers, without Node.js. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '../..')

/** Folder of the page. */
export const page = join(root, 'examples/browser')

/**
 * Returns a module and everything it imports as minified text.
 * @param {string} entry of examples/browser/dist @param {import('esbuild').BuildOptions} [how]
 */
export async function bundle(entry, how = {}) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(page, 'dist', entry)],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser', // importing a Node.js module is an error
    write: false,
    metafile: true,
    logLevel: 'silent',
    ...how,
  })
  const left = Object.values(metafile?.outputs ?? {}).flatMap(({ imports }) => imports.map(({ path }) => path))
  if (left.length > 0) throw new Error(`${entry} still imports ${left.join(', ')}`)
  return outputFiles?.[0]?.text ?? ''
}

/** Gzipped size of a bundle in bytes. @param {string} text */
export const gzipped = (text) => gzipSync(text, { level: 9 }).length

const SECTIONS = ['games', 'science', 'web']
const ROWS_EACH = 16

/** A few dozen descriptions of Debian packages from three sections of examples/debian-sections. */
export function rows() {
  const file = join(root, 'examples/debian-sections/validation.jsonl.gz')
  /** @type {{ text: string, label: string }[]} */
  const all = gunzipSync(readFileSync(file))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return SECTIONS.flatMap((section) => all.filter(({ label }) => label === section).slice(0, ROWS_EACH)).map(
    ({ text, label }) => ({ text, label }),
  )
}
