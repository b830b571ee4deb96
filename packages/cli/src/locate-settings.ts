import { type Locate, shortened } from '@attune/core'

/** Locates the values of `--set` by their setting, and all other values of a configuration by `locate`. Later settings win. */
export function locateSettings(locate: Locate, settings: readonly string[]): Locate {
  const set = settings.map((setting) => ({ setting, keys: setting.split('=', 1)[0]!.split('.') })).reverse()
  return (path) => {
    const found = set.find(({ keys }) => keys.every((key, i) => String(path[i]) === key))
    return found === undefined ? locate(path) : `--set ${shortened(found.setting)}`
  }
}
