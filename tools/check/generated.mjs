// @ts-check
/**
 * Generated parts of documents: the options in each plugin's README, the list of plugins in the root README, and the table of error codes.
 * `--write` updates them; without it, the check fails if one is stale.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { z } from 'zod'
import { errorPages } from './error-codes.mjs'
import { optionsTable } from './options-table.mjs'
import { isProgram, load, packagesIn, report, root } from './packages.mjs'
import { lacking, replacePart } from './replace-part.mjs'
import { table } from './table.mjs'

/** @param {import('./packages.mjs').Package[]} plugins @param {readonly string[]} summaries */
const pluginsTable = (plugins, summaries) =>
  table(
    ['kind', 'name', 'version', 'what it does'],
    plugins.map(({ folder, manifest: { attune, version } }, i) => [
      attune.kind,
      `[${attune.name}](${folder})`,
      version,
      summaries[i] ?? '',
    ]),
  )

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

/** @param {import('./packages.mjs').Package} plugin */
async function optionsOf(plugin) {
  const made = await pluginOf(plugin)
  return optionsTable(z.toJSONSchema(made.options, { io: 'input', unrepresentable: 'any' }))
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
    await part('README.md', 'plugins', pluginsTable(plugins, await summariesOf(plugins))),
    { path: 'docs/errors/README.md', wanted: await pretty(codesPage(errorPages())) },
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
    else if (wanted !== current && write) writeFileSync(file, wanted)
    else if (wanted !== current) problems.push(`${path} is stale: node tools/check/generated.mjs --write`)
  }
  return { problems, summary: `${all.length} documents with up-to-date generated parts` }
}

if (isProgram(import.meta.url)) report(await generated(packagesIn(), { write: process.argv.includes('--write') }))
