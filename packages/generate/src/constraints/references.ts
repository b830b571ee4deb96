import { type Budget, excerpt, isRecord } from '@attune/core'
import { type Schema, type Subschema, badSchema } from './schema.js'

/** Base URI of a schema without `$id`. */
const OWN = 'schema://root/'
/** Keywords whose values are data. */
const DATA = new Set(['const', 'enum', 'default', 'examples', 'example'])

/** Other documents that a schema may refer to, by URI or by a path relative to the schema's `$id`. */
export type Documents = Readonly<Record<string, Schema>>

/** Addresses of a schema: schemas by `$id` and anchor, and the base URI of each schema object. */
interface Addresses {
  readonly targets: Map<string, Subschema>
  readonly bases: Map<object, string>
}

function resolvedUri(reference: string, base: string): string | undefined {
  try {
    return new URL(reference, base).href
  } catch {
    return undefined
  }
}

/** Anchors that a schema object defines, as fragments. */
const anchorsOf = (schema: Schema): string[] => {
  const [id, anchor, dynamic] = [schema['$id'], schema['$anchor'], schema['$dynamicAnchor']]
  const own = [anchor, dynamic].filter((each) => typeof each === 'string').map((each) => `#${each as string}`)
  return typeof id === 'string' && id.startsWith('#') ? [...own, id] : own
}

/** Identifier of a document, by the keyword of its draft. */
const identifierOf = (document: Schema): string | undefined =>
  [document['$id'], document['id']].find((each): each is string => typeof each === 'string')

/** Adds the identifiers of all schemas within `root`, the document at `address`. */
function addAddresses(root: Schema, address: string, { targets, bases }: Addresses, budget: Budget): void {
  const pointer = address === OWN ? '#' : `${address}#`
  const waiting: { readonly value: object; readonly at: string; readonly base: string }[] = [
    { value: root, at: pointer, base: address },
  ]
  targets.set(address, { schema: root, at: pointer })
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    const { value, at } = each
    let { base } = each
    if (bases.has(value)) continue
    if (isRecord(value)) {
      const id = value['$id'] ?? (value === root ? value['id'] : undefined)
      if (typeof id === 'string' && !id.startsWith('#')) base = resolvedUri(id.replace(/#$/, ''), base) ?? base
      if (base !== each.base) targets.set(base, { schema: value, at })
      for (const anchor of anchorsOf(value)) targets.set(base + anchor, { schema: value, at })
    }
    bases.set(value, base)
    for (const [name, inner] of Object.entries(value)) {
      budget.spend(30)
      if (typeof inner === 'object' && inner !== null && !DATA.has(name))
        waiting.push({ value: inner as object, at: `${at}/${name}`, base })
    }
  }
}

/** Other documents by their addresses: the given ones, and their own identifiers. */
function documentsByUri(documents: Documents, base: string): ReadonlyMap<string, Schema> {
  const byUri = new Map<string, Schema>()
  for (const [name, document] of Object.entries(documents))
    for (const each of [name, identifierOf(document)]) {
      const uri = each === undefined ? undefined : resolvedUri(each.replace(/#$/, ''), base)
      if (uri !== undefined && !byUri.has(uri)) byUri.set(uri, document)
    }
  return byUri
}

/** Unescapes a step of a JSON pointer in a URI fragment (RFC 6901, sections 4 and 6). */
function unescaped(step: string): string {
  let decoded = step
  try {
    decoded = decodeURIComponent(step)
  } catch {
    // Not a percent-escape: the step is taken literally.
  }
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** Value at a JSON pointer. */
const valueAt = (root: Schema, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map(unescaped)
    .reduce<unknown>(
      (node, step) =>
        typeof node === 'object' && node !== null && Object.hasOwn(node, step) ? (node as Schema)[step] : undefined,
      root,
    )

/**
 * Returns a function that resolves a reference of a subschema within `root`: a JSON pointer, an anchor, the `$id` of an embedded
 * schema, or the address of another document.
 * @throws AttuneError `BAD_SCHEMA` if the target does not exist or is outside the schema
 */
export function referenceResolver(root: Schema, budget: Budget, documents: Documents = {}) {
  const addresses: Addresses = { targets: new Map(), bases: new Map() }
  let others: ReadonlyMap<string, Schema> | undefined
  const refuse = (reference: string, at: string): Error =>
    badSchema(
      `$ref must point to a part of this schema, got ${excerpt(reference)}`,
      at,
      'Put the target under `$defs`, or pass its document as an option: `documents`.',
    )
  const otherwise = (reference: string, { schema, at }: Subschema): Subschema => {
    if (addresses.targets.size === 0) addAddresses(root, OWN, addresses, budget)
    const uri = resolvedUri(reference, addresses.bases.get(schema) ?? OWN)
    if (uri === undefined) throw refuse(reference, at)
    const [resource = '', fragment = ''] = uri.split('#')
    if (!addresses.targets.has(resource)) {
      others ??= documentsByUri(documents, addresses.bases.get(root) ?? OWN)
      const document = others.get(resource)
      if (document !== undefined) addAddresses(document, resource, addresses, budget)
    }
    const exact = addresses.targets.get(fragment === '' ? resource : uri)
    if (exact !== undefined) return exact
    const within = addresses.targets.get(resource)
    const found = within !== undefined && fragment.startsWith('/') ? valueAt(within.schema, fragment) : undefined
    if (within !== undefined && (isRecord(found) || typeof found === 'boolean'))
      return { schema: found as unknown as Schema, at: `${within.at}${fragment}` }
    throw refuse(reference, at)
  }
  const plain = Object.keys(documents).length === 0 && !hasIdentifiers(root, budget)
  return (reference: unknown, subschema: Subschema): Subschema => {
    if (typeof reference !== 'string')
      throw badSchema(`$ref must be a string, got ${excerpt(reference)}`, subschema.at, 'Name the target by a path.')
    budget.spend(100 + 30 * reference.length)
    if (plain && /^#(?:\/|$)/.test(reference)) {
      const found = valueAt(root, reference.slice(1))
      if (isRecord(found) || typeof found === 'boolean') return { schema: found as unknown as Schema, at: reference }
    }
    return otherwise(reference, subschema)
  }
}

/** True if a schema below the root has an identifier, which changes the base of its references. */
function hasIdentifiers(root: Schema, budget: Budget): boolean {
  const seen = new Set<object>()
  const waiting: object[] = [root]
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (seen.has(value)) continue
    seen.add(value)
    if (value !== root && Object.hasOwn(value, '$id')) return true
    const inner = Object.values(value)
    budget.spend(10 * inner.length)
    for (const each of inner) if (typeof each === 'object' && each !== null) waiting.push(each as object)
  }
  return false
}
