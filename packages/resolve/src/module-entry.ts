import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { moduleFolders, readManifest } from './installed.js'

/** A package that a module belongs to; version undefined if its package.json states none. */
export interface ModulePackage {
  readonly package: string
  readonly version?: string
  readonly directory: string
}

/** The package of the nearest package.json above a module that has a name, within the package's folder in `node_modules`. */
export function packageAt(path: string): ModulePackage | undefined {
  const directory = dirname(path)
  if (directory === path || basename(directory) === 'node_modules') return undefined
  const { name, version } = readManifest(directory) ?? {}
  if (typeof name !== 'string' || name === '') return packageAt(directory)
  return { package: name, directory, ...(typeof version === 'string' && version !== '' ? { version } : {}) }
}

/** A resolved path by way of the folder that it was found in, which may be a symbolic link; undefined if it is elsewhere. */
function within(folder: string, resolved: string): string | undefined {
  const inside = relative(realpathSync(folder), resolved)
  return inside.startsWith('..') || isAbsolute(inside) ? undefined : join(folder, inside)
}

/**
 * The main module of a package in a `node_modules` folder. The folder's name is resolved and not the package's own: they differ for
 * an alias, and the own name may lead to another copy.
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

/** A resolved package specifier by way of the `node_modules` folder that has it: package managers put symbolic links there. */
function asInstalled(specifier: string, folder: string, resolved: string): string {
  const [name] = PACKAGE.exec(specifier) ?? []
  if (name === undefined) return resolved
  const linked = moduleFolders(folder)
    .map((modules) => join(modules, name))
    .filter((path) => existsSync(path))
    .map((path) => within(path, resolved))
  return linked.find((path) => path !== undefined) ?? resolved
}

/** The file that a specifier leads to from one of the folders: a path to a file, or a package. */
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
