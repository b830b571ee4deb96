import { type Example, type RowCheck, type Source, excerpt } from '@attune/core'

/** Maximum number of characters by which rows are compared. */
const COMPARED = 100_000
const contentOf = (example: Example): string => excerpt(example, COMPARED)

/**
 * Finds the rows of a source that examples were read from, as `file:line`; `row n` for a source without line numbers. Reads the source
 * again, up to the last of them.
 * @param change what was done to the rows since, such as cleaning
 * @returns the locations in the order of the source; an example that is not a row of the source, such as an augmented copy, has none
 */
export async function locateRows(
  source: Source,
  fields: readonly string[],
  examples: readonly Example[],
  change: (example: Example) => Example = (example) => example,
): Promise<readonly string[]> {
  const wanted = new Map<string, number>()
  for (const content of examples.map(contentOf)) wanted.set(content, (wanted.get(content) ?? 0) + 1)
  const locations: string[] = []
  let [row, line] = [0, undefined as number | undefined]
  const see: RowCheck = (_, number) => {
    line = number
    return undefined
  }
  for await (const example of source.open(() => undefined, fields, see)) {
    row++
    const content = contentOf(change(example))
    const left = wanted.get(content)
    if (left === undefined) continue
    if (left > 1) wanted.set(content, left - 1)
    else wanted.delete(content)
    locations.push(line === undefined ? `${source.location}, row ${row}` : `${source.location}:${line}`)
    if (wanted.size === 0) break
  }
  return locations
}
