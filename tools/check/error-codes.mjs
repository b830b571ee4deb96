// @ts-check
/**
 * Checks that every error code has a page in docs/errors and that every page documents a code that is thrown. The table of codes,
 * docs/errors/README.md, is generated from the pages by generated.mjs.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isProgram, packagesIn, report, root, sourcesOf } from './packages.mjs'

const SECTIONS = ['What it means', 'Why it happens', 'What to do']

/** Error pages by code. @returns {Record<string, string>} */
export const errorPages = (base = root) =>
  Object.fromEntries(
    readdirSync(join(base, 'docs/errors'))
      .filter((file) => file.endsWith('.md') && file !== 'README.md')
      .sort()
      .map((file) => [file.slice(0, -3), readFileSync(join(base, 'docs/errors', file), 'utf8')]),
  )

/** @param {import('./packages.mjs').Package[]} packages @param {Record<string, string>} pages */
export function errorCodes(packages, pages) {
  const problems = []
  const thrown = new Set()
  for (const each of packages)
    for (const [path, text] of sourcesOf(each))
      for (const [, code, other] of text.matchAll(/new AttuneError\(\s*(?:'([^']*)'|([^\s,]+))/g)) {
        const at = `${each.folder}/${path}`
        if (code === undefined) problems.push(`${at}: expected a literal code in \`new AttuneError\`, got ${other}`)
        else if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(code))
          problems.push(`${at}: expected a code in UPPER_SNAKE_CASE, got "${code}"`)
        else if (!(code in pages)) problems.push(`${at}: ${code} has no page docs/errors/${code}.md`)
        if (code !== undefined) thrown.add(code)
      }
  for (const [code, page] of Object.entries(pages)) {
    const at = `docs/errors/${code}.md`
    if (!thrown.has(code)) problems.push(`${at}: nothing throws ${code}`)
    if (!page.startsWith(`# ${code}\n`)) problems.push(`${at} must start with "# ${code}"`)
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
    if (headings.join() !== SECTIONS.join()) problems.push(`${at} must have the headings ${SECTIONS.join(' | ')}`)
  }
  return { problems: [...new Set(problems)], summary: `${thrown.size} codes, each with its page` }
}

if (isProgram(import.meta.url)) report(errorCodes(packagesIn(), errorPages()))
