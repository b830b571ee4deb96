import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command, FindPlugin, Locate, Scope } from '@attune/core'
import { type SearchPaths, findPlugin } from '@attune/resolve'
import type { Observable } from 'rxjs'
import { pluginsOf } from './from-scope.js'

/** Options of a run that are not part of its configuration. */
export interface RunOptions {
  /** Base folder of relative paths in the configuration. Default: the working directory. */
  readonly baseDirectory?: string
  /**
   * Locations to search for plugins. Default: the installation of this package; for plugins named by the user, also the base directory
   * and the working directory.
   */
  readonly searchPaths?: SearchPaths
  /**
   * The application's scope, parent of the run's scope. An adapter, engine, optimizer, protocol, scheduler or tokenizer that it
   * provides replaces the default if the configuration omits that kind; losses and metrics are added to those of the configuration.
   */
  readonly scope?: Scope
  /** External commands. A `stop` interrupts the run, which saves a checkpoint and can be resumed. */
  readonly commands?: Observable<Command>
  /**
   * Folder of prepared (cached) data. Default: `$ATTUNE_CACHE/data`, else `$XDG_CACHE_HOME/attune/data`, else `~/.cache/attune/data`.
   */
  readonly dataFolder?: string
  /** Maps configuration values to their positions in the source file. */
  readonly locate?: Locate
}

/** Resolution of the plugin names and paths in one configuration. */
export interface Lookup {
  readonly searchPaths: SearchPaths
  readonly find: FindPlugin
  /** Resolves a path to an absolute path. */
  readonly resolvePath: (path: string) => string
  /** True if every option is written out, as in a run's record, so that no saved model is read for defaults. */
  readonly complete: boolean
  readonly locate?: Locate | undefined
}

/** Search locations for plugins, with defaults filled in. */
export function placesOf({ searchPaths, baseDirectory = '.', scope }: RunOptions): SearchPaths {
  const installation = [dirname(fileURLToPath(import.meta.url))]
  const registered = [...(searchPaths?.registered ?? []), ...pluginsOf(scope)]
  return { folders: installation, local: [resolve(baseDirectory), process.cwd()], ...searchPaths, registered }
}

/** Lookup for a configuration written by the user: a plugin name may be a path or a package. */
export function userLookup(options: RunOptions): Lookup {
  const searchPaths = placesOf(options)
  return {
    searchPaths,
    find: (kind, name, at) => findPlugin(kind, name, searchPaths, at),
    resolvePath: (path) => resolve(options.baseDirectory ?? '.', path),
    complete: false,
    locate: options.locate,
  }
}
