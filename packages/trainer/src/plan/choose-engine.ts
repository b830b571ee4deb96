import { AttuneError, ENGINE, type Engine, type Found, fileName, isAttuneError } from '@attune/core'
import { type SearchPlaces, findInstalled, installedPlugins } from '@attune/resolve'

/** The word that stands for the preferred engine of those that work here. */
export const AUTO = 'auto'

/** An engine, and in words why it is the one. */
export interface EngineChoice {
  readonly engine: Found
  readonly because: string
}

/** Starts an engine and closes it again: returns it, or in words why it cannot be used here. */
async function tried(name: string, places: SearchPlaces): Promise<Found | string> {
  let engine: Engine | undefined
  try {
    const found = await findInstalled(ENGINE, fileName(name), places)
    engine = found.plugin() as Engine
    await engine.start()
    return found
  } catch (error) {
    return isAttuneError(error) ? error.problem : String(error)
  } finally {
    await engine?.close()
  }
}

/**
 * The first engine that starts here, in the order of the `preference` that installed engines state in their package.json;
 * engines that state none are used only by name. Nothing is measured: in the
 * fraction of a second that could be spent on it, a busy machine makes the fastest engine look like the slowest.
 * @throws AttuneError `ENGINE_UNAVAILABLE` with what stood in the way of each.
 */
export async function chooseEngine(places: SearchPlaces): Promise<EngineChoice> {
  const installed = installedPlugins(places.folders)
    .filter(({ kind, preference }) => kind === ENGINE.name && preference !== undefined)
    .sort((a, b) => b.preference! - a.preference!)
  const obstacles: string[] = []
  for (const { name } of installed) {
    const found = await tried(name, places)
    if (typeof found !== 'string')
      return {
        engine: found,
        because: [`first, in order of preference, of the installed engines that start here`, ...obstacles].join('; '),
      }
    obstacles.push(found)
  }
  throw new AttuneError(
    'ENGINE_UNAVAILABLE',
    obstacles.length === 0 ? 'no engine is installed' : `no installed engine works here: ${obstacles.join('; ')}`,
    'npm install @attune/engine-onnxruntime, or @attune/engine-tfjs-wasm, which works wherever Node does.',
  )
}
