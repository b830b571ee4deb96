import { fileURLToPath } from 'node:url'
import { readManifest } from './installed.js'

/** The version of this package, read from its package.json. */
export const coreVersion = (): string =>
  String(readManifest(fileURLToPath(new URL('..', import.meta.url)))?.['version'])

type Version = readonly [number, number, number]

const isBefore = (a: Version, b: Version): boolean => {
  const at = a.findIndex((part, i) => part !== b[i])
  return at >= 0 && a[at]! < b[at]!
}

/** The version that is just beyond what `^`, `~` or a bare version of so many parts allows. */
function beyond(operator: string, [major, minor, patch]: Version, parts: number): Version {
  if (parts === 1 || (operator === '^' && major > 0)) return [major + 1, 0, 0]
  if (operator === '~' || parts === 2 || (operator === '^' && minor > 0)) return [major, minor + 1, 0]
  return [major, minor, patch + 1]
}

function satisfies(comparator: string, version: Version): boolean {
  const match = /^(\^|~|>=|<=|>|<|=)?v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(comparator)
  if (match === null) return comparator === '*' || comparator === ''
  const [, operator = '', ...given] = match
  const numbers = given.filter((part) => part !== undefined).map(Number)
  const least: Version = [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0]
  if (operator === '>=') return !isBefore(version, least)
  if (operator === '<') return isBefore(version, least)
  const end = beyond(operator, least, numbers.length)
  if (operator === '>') return !isBefore(version, end)
  if (operator === '<=') return isBefore(version, end)
  return !isBefore(version, least) && isBefore(version, end)
}

/** Whether an npm version range (`^0.1.0`, `~1.2`, `>=1 <3`, `1.x || 2.x`) admits a version; pre-release tags are ignored. */
export function admits(range: string, version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[-+]/)[0]!.split('.').map(Number)
  const actual: Version = [major, minor, patch]
  const alternatives = range.replace(/([<>=^~])\s+/g, '$1').split('||')
  return alternatives.some((part) =>
    part
      .trim()
      .split(/\s+/)
      .every((comparator) => satisfies(comparator, actual)),
  )
}
