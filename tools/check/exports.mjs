// @ts-check
/**
 * Checks that the packages export exactly the names listed in exports.json, so that additions and removals are deliberate. `--write`
 * updates the list.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isProgram, load, packagesIn, report, root } from './packages.mjs'

const FILE = join(root, 'tools/check/exports.json')

/** Exported names of each entry of the built packages. @param {import('./packages.mjs').Package[]} packages */
export async function exportedNames(packages) {
  const entries = packages.flatMap((each) => Object.keys(each.manifest.exports).map((entry) => ({ each, entry })))
  return Object.fromEntries(
    await Promise.all(
      entries.map(async ({ each, entry }) => [
        each.manifest.name + entry.slice(1),
        Object.keys(await load(each, entry)).sort(),
      ]),
    ),
  )
}

/**
 * @param {Readonly<Record<string, readonly string[]>>} actual
 * @param {Readonly<Record<string, readonly string[]>>} written
 */
export function compareNames(actual, written) {
  const names = [...new Set([...Object.keys(actual), ...Object.keys(written)])].sort()
  return names.flatMap((name) => {
    const [now, then] = [actual[name] ?? [], written[name] ?? []]
    return [
      ...now
        .filter((each) => !then.includes(each))
        .map((each) => `${name} exports ${each}, which is not in exports.json`),
      ...then.filter((each) => !now.includes(each)).map((each) => `${name} no longer exports ${each}`),
    ]
  })
}

/** @param {import('./packages.mjs').Package[]} packages @param {{ write?: boolean }} [options] */
export async function exportsPinned(packages, { write = false } = {}) {
  const actual = await exportedNames(packages)
  if (write) writeFileSync(FILE, `${JSON.stringify(actual, null, 2)}\n`)
  const problems = compareNames(actual, existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {})
  return { problems, summary: `${Object.values(actual).flat().length} exported names match exports.json` }
}

if (isProgram(import.meta.url)) report(await exportsPinned(packagesIn(), { write: process.argv.includes('--write') }))
