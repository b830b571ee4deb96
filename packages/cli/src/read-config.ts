import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { AttuneError, type Choice, type Locate, nearest, shortened } from '@attune/core'
import { withChoice } from '@attune/study'
import { type Document, LineCounter, isNode, isScalar, parseDocument, visit } from 'yaml'

/** Large enough for any configuration; the parser takes about a second for as many malicious bytes. */
const MAXIMUM_BYTES = 256 * 1024
const MAXIMUM_ALIASES = 100

/** A parsed configuration file. */
export interface ConfigFile {
  readonly config: Record<string, unknown>
  /** Folder that relative paths are resolved against. */
  readonly folder: string
  readonly locate: Locate
}

function notFound(path: string): AttuneError {
  const folder = dirname(path)
  const near = existsSync(folder) ? nearest(basename(path), readdirSync(folder)) : []
  return new AttuneError(
    'FILE_NOT_FOUND',
    `there is no file ${path}`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Write one with `npx attune init --output FILE`.',
  )
}

/** Location of a value, or of its nearest located ancestor, as `file:line`. */
function locator(document: Document, lines: LineCounter, name: string): Locate {
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true)
      const range = isNode(node) ? node.range : undefined
      if (range != null) return `${name}:${lines.linePos(range[0]).line}`
    }
    return `${name}:1`
  }
}

/** Problem in a document, and its offset in the text. */
interface Problem {
  readonly message: string
  readonly offset: number
}

/**
 * First key that is a mapping or a list, which the parser writes out in exponential time if others are in it, or that stands twice in
 * one mapping. The parser's own check of the latter compares all keys in pairs, in quadratic time.
 */
function badKey(document: Document): Problem | undefined {
  let found: Problem | undefined
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>()
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : undefined // 1 and "1" are one key of an object
        if (name === undefined || seen.has(name)) {
          const message = name === undefined ? 'Map keys must be plain values' : 'Map keys must be unique'
          found = { message, offset: (isNode(key) ? key : map).range?.[0] ?? 0 }
          return visit.BREAK
        }
        seen.add(name)
      }
      return undefined
    },
  })
  return found
}

/** Parses without stack traces: the parser creates up to one error per byte. */
function parse(text: string, lineCounter: LineCounter): Document {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false })
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** First problem that the parser or the check of keys found. */
function problemIn(document: Document): Problem | undefined {
  const [problem] = [...document.errors, ...document.warnings]
  return problem === undefined ? badKey(document) : { message: problem.message, offset: problem.pos[0] }
}

/**
 * Reads a YAML configuration.
 * @throws AttuneError `FILE_NOT_FOUND`; `BAD_YAML` with line and column, also for duplicate keys, keys that are mappings
 *   or lists, unknown tags, endless aliases and files over 256 KiB.
 */
export function readConfig(file: string): ConfigFile {
  const path = resolve(file)
  if (!existsSync(path) || !statSync(path).isFile()) throw notFound(path)
  const refuse = (why: string): never => {
    throw new AttuneError(
      'BAD_YAML',
      `${file} is not a configuration: ${why}`,
      'Fix the file; `npx attune init` writes a valid one.',
    )
  }
  if (statSync(path).size > MAXIMUM_BYTES) refuse(`it is larger than ${MAXIMUM_BYTES} bytes`)
  const lines = new LineCounter()
  const document = parse(readFileSync(path, 'utf8'), lines)
  const problem = problemIn(document)
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.offset)
    refuse(`${problem.message} (${basename(path)}:${line}:${col})`)
  }
  const config = toPlain(document, refuse)
  return { config, folder: dirname(path), locate: locator(document, lines, basename(path)) }
}

function toPlain(document: Document, refuse: (why: string) => never): Record<string, unknown> {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAXIMUM_ALIASES })
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    return refuse((error as Error).message)
  }
  return refuse('it is empty, or no mapping of keys to values')
}

/**
 * A value in YAML.
 * @param flag the flag with it, for the error
 * @throws AttuneError `BAD_USAGE`
 */
export function yamlValue(value: string, flag: string): unknown {
  const refuse = (why: string): never => {
    throw new AttuneError('BAD_USAGE', `${shortened(flag)}: ${why}`, 'Write the value in YAML: 3, text or [a, b].')
  }
  const document = parse(value, new LineCounter())
  const problem = problemIn(document)
  if (problem !== undefined) refuse(problem.message)
  try {
    return document.toJS({ maxAliasCount: MAXIMUM_ALIASES })
  } catch (error) {
    return refuse((error as Error).message)
  }
}

/** @throws AttuneError `BAD_USAGE` for a path into a value without members, such as a number */
function refuseInsideValue(config: Record<string, unknown>, path: string, setting: string): void {
  const keys = path.split('.')
  let node: unknown = config
  for (const [depth, key] of keys.slice(0, -1).entries()) {
    node = (node as Record<string, unknown>)[key]
    if (node == null || typeof node === 'string') return
    if (typeof node !== 'object')
      throw new AttuneError(
        'BAD_USAGE',
        `--set ${setting}: \`${keys.slice(0, depth + 1).join('.')}\` is ${JSON.stringify(node)}, which has no parts`,
        'Set that value itself.',
      )
  }
}

/** The run's part of a configuration: everything except `study`. */
export function runPart({ study: _study, ...config }: Record<string, unknown>): Record<string, unknown> {
  return config
}

/** Keys that no configuration has, and that are members of every object. */
const INHERITED = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Sets `key.path=value` settings in a configuration; values are YAML, so `3` is a number and `[a, b]` a list.
 * @throws AttuneError `BAD_USAGE` for a setting that is not of this form.
 */
export function withSettings(config: Record<string, unknown>, settings: readonly string[]): Record<string, unknown> {
  let changed = config
  for (const setting of settings) {
    const [, path, value] = /^([A-Za-z][\w.]*)=(.*)$/s.exec(setting) ?? []
    if (path === undefined || value === undefined || path.split('.').some((key) => INHERITED.has(key)))
      throw new AttuneError(
        'BAD_USAGE',
        `--set takes key.path=value, got "${setting}"`,
        'For example: --set training.epochs=5',
      )
    refuseInsideValue(changed, path, setting)
    changed = withChoice(changed, { [path]: yamlValue(value, `--set ${setting}`) } as Choice)
  }
  return changed
}
