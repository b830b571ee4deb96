import type { Example, RowCheck, Source } from '@attune/core'

/**
 * Finds the rows of a source that examples were read from, as `file:line`; `row n` for a source without line numbers. Reads the source
 * again, up to the last of them.
 * @param change what was done to the rows since, such as cleaning
 * @returns the places in the order of the source; an example that is not a row of the source, such as an augmented copy, has none
 */
export async function locateRows(
  source: Source,
  fields: readonly string[],
  examples: readonly Example[],
  change: (example: Example) => Example = (example) => example,
): Promise<readonly string[]> {
  const wanted = new Set(examples.map((example) => JSON.stringify(example)))
  const places: string[] = []
  let [row, line] = [0, undefined as number | undefined]
  const see: RowCheck = (_, number) => {
    line = number
    return undefined
  }
  for await (const example of source.open(() => undefined, fields, see)) {
    row++
    if (!wanted.delete(JSON.stringify(change(example)))) continue
    places.push(line === undefined ? `${source.location}, row ${row}` : `${source.location}:${line}`)
    if (wanted.size === 0) break
  }
  return places
}
