// @ts-check
import { DIFFERENCES } from './differences.mjs'

/** @typedef {{ passed: number, failures: readonly { spec: string, message: string }[] }} Results */

/**
 * Compares the failures on an engine with the known ones: unlisted failures, and groups of another size than listed.
 * @param {string} engine @param {Results} results @returns {readonly string[]} complaints
 */
export function complaintsOf(engine, { failures }) {
  const known = DIFFERENCES[engine] ?? []
  const counts = known.map(() => 0)
  const unlisted = failures.flatMap(({ spec, message }) => {
    const at = known.findIndex(({ failing }) => failing.test(`${spec}: ${message}`))
    if (at < 0) return [`${spec} fails: ${message.slice(0, 300)}`]
    counts[at]++
    return []
  })
  const resized = known.flatMap(({ reason, count }, i) =>
    counts[i] === count ? [] : [`expected ${count} failures of "${reason}", got ${counts[i]}`],
  )
  return [...unlisted, ...resized]
}

/** Markdown table of the results and the known differences. @param {Readonly<Record<string, Results>>} results */
export function tableOf(results) {
  const rows = Object.entries(results).flatMap(([engine, { passed, failures }]) => [
    [`\`${engine}\``, `**${passed} passed, ${failures.length} failed**`, ''],
    ...(DIFFERENCES[engine] ?? []).map(({ reason, count }) => ['', reason, String(count)]),
  ])
  return [['engine', 'result, and what differs', 'specs'], ['---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}
