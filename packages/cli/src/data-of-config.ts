import {
  AttuneError,
  type Example,
  OBJECTIVE,
  SOURCE,
  type Source,
  choosePlugins,
  fieldsRead,
  isRecord,
  parseConfig,
  use,
} from '@attune/core'
import { userLookup } from '@attune/trainer/node'
import { readConfig, runPart, withSettings } from './read-config.js'
import { searchPathsFrom } from './search-paths.js'

/** The training data of a configuration, and the fields that its objective reads. */
export interface ConfigData {
  readonly rows: () => AsyncIterable<Example>
  /** Fields of the text; more than one for pairs. */
  readonly texts: readonly string[]
  /** The field of the label. */
  readonly label: string
}

/**
 * Reads where the training data of a configuration are, and their fields.
 * @throws AttuneError `BAD_USAGE` for an objective without a label
 */
export async function dataOfConfig(file: string, settings: readonly string[] = []): Promise<ConfigData> {
  const { config, folder } = readConfig(file)
  const { data, objective: named } = runPart(withSettings(config, settings))
  const train = isRecord(data) ? data['train'] : undefined
  const lookup = userLookup({ baseDirectory: folder, searchPaths: searchPathsFrom(folder) })
  const uses = { source: parseConfig(use(SOURCE), train), objective: parseConfig(use(OBJECTIVE), named) }
  const { source, objective } = await choosePlugins(uses, lookup)
  const [label] = fieldsRead(objective, 'label')
  if (label === undefined)
    throw new AttuneError(
      'BAD_USAGE',
      `${file}: expected an objective with a label for each text, got ${objective.plugin.name}`,
      'Use a configuration of sequence-classification or multi-label-classification.',
    )
  return {
    rows: () => (source.plugin(source.options) as Source).open(),
    texts: fieldsRead(objective, 'text'),
    label,
  }
}

/** The texts of a row as one key, to find rows again. */
export const keyOf = (row: Example, texts: readonly string[]): string =>
  JSON.stringify(texts.map((field) => (Object.hasOwn(row, field) ? row[field] : undefined)))
