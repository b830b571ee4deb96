/** Returns two paths of which one equals the other or is a folder of it, if any. */
export function findConflict(paths: readonly string[], fold = (path: string): string => path) {
  // With the lowest character instead of "/", a folder sorts right before the paths inside it.
  const keys = paths.map((path): [string, string] => [fold(path).split('/').join('\0'), path])
  keys.sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
  const at = keys.findIndex(([key], i) => {
    const next = keys[i + 1]?.[0]
    return next !== undefined && (next === key || next.startsWith(`${key}\0`))
  })
  return at < 0 ? undefined : ([keys[at]![1], keys[at + 1]![1]] as const)
}
