import { AttuneError, ENGINE, type Engine, type Found, fileName, isAttuneError } from '@attune/core'
import { type SearchPaths, findInstalled, installedPlugins } from '@attune/resolve'

/** Name that selects the most preferred engine that starts here. */
export const AUTO = 'auto'

/** A selected engine and the reason for it. */
export interface EngineChoice {
  readonly engine: Found
  readonly because: string
}

/** Tries to start an engine, then closes it. Returns the engine, or the reason why it cannot be used. */
async function tried(name: string, searchPaths: SearchPaths): Promise<Found | string> {
  let engine: Engine | undefined
  try {
    const found = await findInstalled(ENGINE, fileName(name), searchPaths)
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
 * Returns the first installed engine that starts here, in the order of `preference` in their package.json. Engines without a preference
 * are used only by name. Nothing is measured: within a fraction of a second, load on the machine can make the fastest engine look like
 * the slowest.
 * @throws AttuneError `ENGINE_UNAVAILABLE` with the reason for each engine
 */
export async function chooseEngine(searchPaths: SearchPaths): Promise<EngineChoice> {
  const installed = installedPlugins(searchPaths.folders)
    .filter(({ kind, preference }) => kind === ENGINE.name && preference !== undefined)
    .sort((a, b) => b.preference! - a.preference!)
  const obstacles: string[] = []
  for (const { name } of installed) {
    const found = await tried(name, searchPaths)
    if (typeof found !== 'string')
      return {
        engine: found,
        because: [`first installed engine that starts here, by preference`, ...obstacles].join('; '),
      }
    obstacles.push(found)
  }
  throw new AttuneError(
    'ENGINE_UNAVAILABLE',
    obstacles.length === 0 ? 'no engine is installed' : `no installed engine starts here: ${obstacles.join('; ')}`,
    'Run npm install @attune/engine-onnxruntime, or @attune/engine-tfjs-wasm, which runs wherever Node.js does.',
  )
}
