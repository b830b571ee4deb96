import { type Locate, isRecord, shortened } from '@attune/core'

type Path = readonly PropertyKey[]

const isIndex = (part: PropertyKey | undefined): boolean => /^\d+$/.test(String(part))

/** True if a path is the value of a setting, or in it. A single plugin stands under index 0 of a list, and the name of a plugin under its kind. */
function isIn(path: Path, keys: readonly string[]): boolean {
  let at = 0
  for (const [i, key] of keys.entries()) {
    if (!isIndex(key) && isIndex(path[at])) at++
    if (String(path[at]) !== key) return key === 'use' && i === keys.length - 1 && at === path.length
    at++
  }
  return true
}

/** True if a setting is in the value at a path. */
const isAround = (path: Path, keys: readonly string[]): boolean =>
  path.length > 0 && path.length < keys.length && path.every((part, i) => String(part) === keys[i])

const valueAt = (config: unknown, path: Path): unknown =>
  path.reduce<unknown>((node, part) => (isRecord(node) ? node[String(part)] : undefined), config)

/**
 * Locates the values of `--set` by their setting, and all other values of a configuration by `locate`. Later settings win.
 * @param config the configuration before the settings; without it, they are not sought in the value of a path
 */
export function locateSettings(locate: Locate, settings: readonly string[], config?: unknown): Locate {
  const set = settings.map((setting) => ({ setting, keys: setting.split('=', 1)[0]!.split('.') })).reverse()
  return (path) => {
    const found = set.find(({ keys }) => isIn(path, keys))
    if (found !== undefined) return `--set ${shortened(found.setting)}`
    const inner = set.find(({ keys }) => isAround(path, keys))
    const before = valueAt(config, path)
    if (inner === undefined || config === undefined || isRecord(before)) return locate(path)
    const setting = `--set ${shortened(inner.setting)}`
    return before === undefined ? setting : `${locate(path)}, changed by ${setting}`
  }
}
