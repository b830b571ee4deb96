// @ts-check
/** Repository-wide checks, one line each; fails if one of them fails. The packages must be built. */
import { budgets } from './budgets.mjs'
import { cycles } from './cycles.mjs'
import { errorCodes, errorPages } from './error-codes.mjs'
import { exportsPinned } from './exports.mjs'
import { floors } from './floors.mjs'
import { generated } from './generated.mjs'
import { links } from './links.mjs'
import { manifests } from './manifests.mjs'
import { nodeFree } from './node-free.mjs'
import { packagesIn } from './packages.mjs'
import { readmes } from './readmes.mjs'
import { reads } from './reads.mjs'
import { toolsTypes } from './tools-types.mjs'
import { words } from './words.mjs'
import { assembled } from '../wasm/assemble.mjs'

const packages = packagesIn()

/** @type {Record<string, () => import('./packages.mjs').Finding | Promise<import('./packages.mjs').Finding>>} */
const CHECKS = {
  budgets: () => budgets(packages),
  manifests: () => manifests(packages),
  cycles: () => cycles(packages),
  floors: () => floors(packages),
  'free of Node.js': () => nodeFree(packages),
  READMEs: () => readmes(packages),
  links,
  'types read': () => reads(packages),
  'error codes': () => errorCodes(packages, errorPages()),
  exports: () => exportsPinned(packages),
  'generated parts': () => generated(packages),
  WebAssembly: () => assembled({ write: false }),
  'types of tools': toolsTypes,
  words: () => words(),
}

for (const [name, check] of Object.entries(CHECKS)) {
  const begun = performance.now()
  const { problems, summary } = await Promise.resolve(check()).catch((error) => ({
    problems: [error.message],
    summary: '',
  }))
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  console.log(
    `${problems.length === 0 ? '✓' : '✗'} ${name.padEnd(16)} ${seconds} s  ${problems.length === 0 ? summary : `${problems.length} wrong`}`,
  )
  for (const problem of problems) console.log(`    ${problem}`)
  if (problems.length > 0) process.exitCode = 1
}
// A loaded engine may keep the process alive.
process.exit()
