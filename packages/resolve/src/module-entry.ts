import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { moduleFolders, readManifest } from './installed.js'

/** The package of a module; `version` is undefined if its package.json has none. */
export interface ModulePackage {
  readonly package: string
  readonly version?: string
  readonly directory: string
}

/** Returns the package of a module: the nearest package.json with a name, up to the package folder in `node_modules`. */
export function packageAt(path: string): ModulePackage | undefined {
  const directory = dirname(path)
  if (directory === path || basename(directory) === 'node_modules') return undefined
  const { name, version } = readManifest(directory) ?? {}
  if (typeof name !== 'string' || name === '') return packageAt(directory)
  return { package: name, directory, ...(typeof version === 'string' && version !== '' ? { version } : {}) }
}

/** Rewrites a resolved path to go through a folder that may be a symbolic link; undefined if it is outside the folder. */
function within(folder: string, resolved: string): string | undefined {
  const inside = relative(realpathSync(folder), resolved)
  return inside.startsWith('..') || isAbsolute(inside) ? undefined : join(folder, inside)
}

/**
 * Returns the main module of a package in a `node_modules` folder. Resolves the folder name, not the package name: they differ for
 * an alias, and the package name may lead to another copy.
 * @throws Error if the package has no such module
 */
export function mainModule(directory: string): string {
  const parent = dirname(directory)
  const modules = basename(parent).startsWith('@') ? dirname(parent) : parent
  const resolved = createRequire(join(modules, 'any.js')).resolve(relative(modules, directory))
  const path = within(directory, resolved)
  if (path !== undefined) return path
  throw new Error(`${directory} has no main module`)
}

const PACKAGE = /^(?:@[^/]+\/)?[^./@][^/]*/

/** Rewrites a resolved path to go through `node_modules`, where package managers create symbolic links. */
function asInstalled(specifier: string, folder: string, resolved: string): string {
  const [name] = PACKAGE.exec(specifier) ?? []
  if (name === undefined) return resolved
  const linked = moduleFolders(folder)
    .map((modules) => join(modules, name))
    .filter((path) => existsSync(path))
    .map((path) => within(path, resolved))
  return linked.find((path) => path !== undefined) ?? resolved
}

/** Resolves a specifier (a file path or a package) from one of the folders. */
export function locateModule(specifier: string, folders: readonly string[]): string | undefined {
  for (const folder of folders) {
    try {
      const found = createRequire(join(resolve(folder), 'attune.config')).resolve(specifier)
      if (isAbsolute(found)) return asInstalled(specifier, resolve(folder), found)
    } catch {
      continue
    }
  }
  return undefined
}
