import { type Chosen, type Source, isChosen, pathOptions } from '@attune/core'
import { digest, readWholeFile } from '@attune/files'
import { digestsAt } from '../files/run-inputs.js'

/** Maximum size of a plugin's module. */
const MAXIMUM_PROGRAM = 64 * 1024 * 1024

/** Thrown for a plugin without a version, whose changes could not be detected. */
const UNKNOWN = Symbol('unknown')

/** Everything that a plugin's output depends on: its version, its options, and the content of files named in the options. */
async function describe(chosen: Chosen, withFiles: boolean): Promise<unknown> {
  const { plugin, options, origin } = chosen
  const program = origin.path === undefined ? undefined : readWholeFile(origin.path, MAXIMUM_PROGRAM)
  if (program === undefined && (origin.package === undefined || origin.version === undefined)) throw UNKNOWN
  const paths = new Map(pathOptions(chosen))
  const own: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(options)) {
    const path = paths.get(name)
    if (path === undefined) own[name] = await describeValue(value)
    else if (withFiles) own[name] = await digestsAt(path)
  }
  const { package: from, version } = origin
  return { kind: plugin.kind.name, name: plugin.name, from, version, program: program && digest(program), options: own }
}

async function describeValue(value: unknown): Promise<unknown> {
  if (isChosen(value)) return describe(value, true)
  if (Array.isArray(value)) return Promise.all(value.map(describeValue))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(async ([key, child]) => [key, await describeValue(child)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

const orUndefined = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => (error === UNKNOWN ? undefined : Promise.reject(error)))

/** Identity of a plugin with its options; undefined for a plugin passed as an object, which has no version. */
export const identityOf = (chosen: Chosen): Promise<unknown> => orUndefined(describe(chosen, true))

/** Identity of a source's content; undefined if the source has no fingerprint. */
export async function sourceIdentity(chosen: Chosen, fields: readonly string[]): Promise<unknown> {
  const fingerprint = await (chosen.plugin(chosen.options) as Source).fingerprint?.()
  if (fingerprint === undefined) return undefined
  const source = await orUndefined(describe(chosen, false))
  return source === undefined ? undefined : { fingerprint, source, fields }
}

/** Chains identities onto the digest of earlier ones; undefined if any of them is undefined. */
export const nextId = (before: string | undefined, ...identities: readonly unknown[]): string | undefined =>
  before === undefined || identities.includes(undefined)
    ? undefined
    : digest(`${before}\n${JSON.stringify(identities)}`)
