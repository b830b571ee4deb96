// @ts-check
/**
 * Writes the version plan of a breaking change: the package, and every published package that depends on it, directly or through
 * others, go up by a breaking version. `nx release` then moves their ranges. A patch of a dependent would not do: npm would install it
 * where its old range asked for it, together with the new version of the package, beside plugins that need the old one.
 *
 *     node tools/release/plan-breaking.mjs @attune/core --message "Rename Engine.run to Engine.execute"
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isProgram, packagesIn, root } from '../check/packages.mjs'

/** The packages that need one of these, directly or through others, these included. @param {readonly string[]} names @param {readonly Record<string, any>[]} manifests @returns {string[]} */
export function dependentsOf(names, manifests) {
  const found = manifests
    .filter(({ dependencies, peerDependencies }) =>
      Object.keys({ ...dependencies, ...peerDependencies }).some((need) => names.includes(need)),
    )
    .map(({ name }) => String(name))
  const all = [...new Set([...names, ...found])].sort()
  return all.length === names.length ? all : dependentsOf(all, manifests)
}

/** The text of a plan. Before 1.0.0, `nx release` makes a minor version of `major`. @param {readonly string[]} names @param {string} message */
export const planOf = (names, message) =>
  `---\n${names.map((name) => `'${name}': major\n`).join('')}---\n\n${message}\n`

/** @param {string} name @param {string} message @param {string} [folder] the repository */
export function planBreaking(name, message, folder = root) {
  const manifests = packagesIn(folder).map(({ manifest }) => manifest)
  if (!manifests.some((manifest) => manifest.name === name))
    throw new Error(`No published package is called "${name}".`)
  if (message.trim() === '') throw new Error('Say what breaks, and what to do: --message "…".')
  const names = dependentsOf([name], manifests)
  const plans = join(folder, '.nx/version-plans')
  mkdirSync(plans, { recursive: true })
  const file = join(plans, `breaking-${name.replace(/^@attune\//, '')}.md`)
  writeFileSync(file, planOf(names, message), { flag: 'wx' })
  return { file, names }
}

if (isProgram(import.meta.url)) {
  const { values, positionals } = parseArgs({ options: { message: { type: 'string' } }, allowPositionals: true })
  const { file, names } = planBreaking(positionals[0] ?? '', values.message ?? '')
  console.log(`${file}: ${names.length} packages\nShow what it does: npx nx release --dry-run --skip-publish`)
}
