// @ts-check
/**
 * Generated documents: the pages of docs/reference, the options in each plugin's README, and the table of error codes.
 * `--write` updates them; without it, the check fails if one is stale.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { jsonSchemaOf } from '@attune/resolve'
import { errorPages } from './error-codes.mjs'
import { optionsTable } from './options-table.mjs'
import { isProgram, load, packagesIn, report, root } from './packages.mjs'
import { cliPage, programOf } from './reference/cli.mjs'
import { configuration } from './reference/configuration.mjs'
import { events } from './reference/events.mjs'
import { pluginsPage } from './reference/plugins.mjs'
import { lacking, replacePart } from './replace-part.mjs'
import { outsideVersions } from '../scaffold/versions.mjs'
import { table } from './table.mjs'

/** The first sentence of a page's first section. @param {string} page */
const meaningOf = (page) => {
  const [, paragraph = ''] = /^## What it means\n+([\s\S]*?)(?:\n\n|$)/m.exec(page) ?? []
  return (/^[\s\S]*?\.(?=\s|$)/.exec(paragraph)?.[0] ?? paragraph).replace(/\s+/g, ' ')
}

/** @param {Record<string, string>} pages */
const codesPage = (pages) => `# Error codes

Every error that a user can cause has a code, a description of the problem and a remedy. Each code has a page.

${table(
  ['code', 'what it means'],
  Object.entries(pages).map(([code, page]) => [`[${code}](${code}.md)`, meaningOf(page)]),
)}
`

/** A built plugin. @param {import('./packages.mjs').Package} each */
const pluginOf = async (each) => (await load(each)).default

/** Summaries from the plugin definitions, in order. @param {import('./packages.mjs').Package[]} plugins */
const summariesOf = (plugins) => Promise.all(plugins.map(async (each) => String((await pluginOf(each)).summary)))

/** Exceptions that plugins may declare, by kind. @param {import('./packages.mjs').Package[]} packages */
async function exceptionsTable(packages) {
  const testkit = packages.find(({ folder }) => folder === 'packages/testkit')
  const { EXCEPTIONS } = testkit === undefined ? { EXCEPTIONS: {} } : await load(testkit)
  /** @type {[string, Record<string, string>][]} */
  const kinds = Object.entries(EXCEPTIONS)
  const rows = kinds.flatMap(([kind, names]) =>
    Object.entries(names).map(([name, promise]) => [kind, `\`${name}\``, promise]),
  )
  return table(['kind', 'exception', 'promise that it waives'], rows)
}

/** @param {import('./packages.mjs').Package} plugin */
async function optionsOf(plugin) {
  const made = await pluginOf(plugin)
  return optionsTable(jsonSchemaOf(made.options))
}

/** The pages that are generated as a whole, before formatting. @param {import('./packages.mjs').Package[]} packages */
async function pages(packages) {
  const plugins = packages.filter(({ group }) => group === 'plugins')
  return {
    'docs/errors/README.md': codesPage(errorPages()),
    'docs/reference/cli.md': cliPage(await programOf(packages)),
    'docs/reference/configuration.md': await configuration(packages),
    'docs/reference/events.md': events(packages),
    'docs/reference/plugins.md': pluginsPage(plugins, await summariesOf(plugins)),
  }
}

/**
 * The expected documents, by path from the root; an error where a document or its markers are missing.
 * @param {import('./packages.mjs').Package[]} packages
 * @returns {Promise<{ path: string, wanted: string | Error }[]>}
 */
async function documents(packages) {
  const config = await resolveConfig(join(root, 'README.md'))
  const pretty = (/** @type {string} */ text) => format(text, { ...config, parser: 'markdown' })
  const part = async (/** @type {string} */ path, /** @type {string} */ name, /** @type {string} */ content) => {
    if (!existsSync(join(root, path))) return { path, wanted: new Error(`${path} is missing`) }
    const text = replacePart(readFileSync(join(root, path), 'utf8'), name, await pretty(content))
    return { path, wanted: text ?? lacking(path, name) }
  }
  const plugins = packages.filter(({ group }) => group === 'plugins')
  return [
    ...(await Promise.all(
      plugins.map(async (each) => part(`${each.folder}/README.md`, 'options', await optionsOf(each))),
    )),
    await part('packages/testkit/README.md', 'exceptions', await exceptionsTable(packages)),
    ...(await Promise.all(
      Object.entries(await pages(packages)).map(async ([path, text]) => ({ path, wanted: await pretty(text) })),
    )),
    { path: 'packages/cli/templates/versions.json', wanted: `${JSON.stringify(outsideVersions(), null, 2)}\n` },
  ]
}

/** Checks that the description in package.json equals the plugin's summary: `attune plugins list` reads the former, the docs the latter. @param {import('./packages.mjs').Package[]} packages */
async function otherwiseDescribed(packages) {
  const plugins = packages.filter(({ group }) => group === 'plugins')
  const summaries = await summariesOf(plugins)
  return plugins.flatMap(({ folder, manifest: { description } }, i) =>
    description === summaries[i]
      ? []
      : [`${folder}/package.json: the description must equal the summary, "${summaries[i]}"`],
  )
}

/** @param {import('./packages.mjs').Package[]} packages @param {{ write?: boolean }} [options] */
export async function generated(packages, { write = false } = {}) {
  const problems = await otherwiseDescribed(packages)
  const all = await documents(packages)
  for (const { path, wanted } of all) {
    const file = join(root, path)
    const current = existsSync(file) ? readFileSync(file, 'utf8') : ''
    if (wanted instanceof Error) problems.push(wanted.message)
    else if (wanted !== current && write) {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, wanted)
    } else if (wanted !== current) problems.push(`${path} is stale: node tools/check/generated.mjs --write`)
  }
  return { problems, summary: `${all.length} documents with up-to-date generated parts` }
}

if (isProgram(import.meta.url)) report(await generated(packagesIn(), { write: process.argv.includes('--write') }))
