import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command, FindPlugin, Locate, Scope } from '@attune/core'
import { type SearchPlaces, findPlugin } from '@attune/resolve'
import type { Observable } from 'rxjs'
import { pluginsOf } from './from-scope.js'

/** What surrounds a run. */
export interface RunOptions {
  /** The folder that relative paths of the configuration count from. Default: the working folder. */
  readonly baseDirectory?: string
  /**
   * Places to look for plugins. Default: the installation that this package belongs to, and then, for what the user wrote, the base
   * directory and the working folder.
   */
  readonly places?: SearchPlaces
  /**
   * The application's scope, the parent of the run's own. An adapter, engine, optimizer, protocol, scheduler or tokenizer that it
   * provides takes the place of the default where the configuration names none.
   */
  readonly scope?: Scope
  /** Commands from outside. A `stop` among them interrupts: the run saves a checkpoint and can be resumed. */
  readonly commands?: Observable<Command>
  /**
   * The folder of prepared data. Default: `$ATTUNE_CACHE/data`, else `$XDG_CACHE_HOME/attune/data`, else `~/.cache/attune/data`.
   */
  readonly dataFolder?: string
  /** Where values stand in the file that the configuration was read from. */
  readonly locate?: Locate
}

/** How the names and paths of one configuration are understood. */
export interface Lookup {
  readonly places: SearchPlaces
  readonly find: FindPlugin
  /** Makes a path absolute. */
  readonly resolvePath: (path: string) => string
  /** True if every option is written out, as in a run's record, so that no saved model need be read for defaults. */
  readonly complete: boolean
  readonly locate?: Locate | undefined
}

/** The places to look for plugins when nothing else is said. */
export function placesOf({ places, baseDirectory = '.', scope }: RunOptions): SearchPlaces {
  const installation = [dirname(fileURLToPath(import.meta.url))]
  const registered = [...(places?.registered ?? []), ...pluginsOf(scope)]
  return { folders: installation, local: [resolve(baseDirectory), process.cwd()], ...places, registered }
}

/** The lookup of a configuration that the user wrote: a name may lead to a path or a package. */
export function userLookup(options: RunOptions): Lookup {
  const places = placesOf(options)
  return {
    places,
    find: (kind, name, at) => findPlugin(kind, name, places, at),
    resolvePath: (path) => resolve(options.baseDirectory ?? '.', path),
    complete: false,
    locate: options.locate,
  }
}
