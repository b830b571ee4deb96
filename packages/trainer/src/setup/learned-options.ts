import { type Chosen, choosePlugins } from '@attune/core'
import type { Learned } from '../files/run-folder.js'
import type { Lookup } from '../plan/lookup.js'

/**
 * Parses the fitted options in a run's record and resolves the plugins among them, which are written as `{ use, … }`, as in a
 * configuration.
 * @throws AttuneError `UNKNOWN_PLUGIN`, `BAD_CONFIG`
 */
export async function readLearnedOptions(
  options: Learned['options'],
  config: Readonly<Record<string, unknown>>,
  lookup: Lookup,
): Promise<Learned['options']> {
  const entries = Object.entries(options).map(async ([kind, learned]) => {
    const parsed = (
      Object.hasOwn(config, kind) ? (config[kind] as Chosen | undefined) : undefined
    )?.plugin.options.safeParse(learned)
    return [kind, parsed?.success === true ? await choosePlugins(parsed.data, lookup) : learned] as const
  })
  return Object.fromEntries(await Promise.all(entries)) as Learned['options']
}
