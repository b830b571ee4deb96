import { type Budget, excerpt, isRecord } from '@attune/core'
import { type Schema, type Subschema, badSchema } from './schema.js'

/** Base URI of a schema without `$id`. */
const OWN = 'schema://root/'
/** Keywords whose values are data. */
const DATA = new Set(['const', 'enum', 'default', 'examples', 'example'])

/** Addresses of a schema: schemas by `$id` and anchor, and the base URI of each schema object. */
interface Addresses {
  readonly targets: ReadonlyMap<string, Subschema>
  readonly bases: ReadonlyMap<object, string>
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

/** Finds the identifiers of all schemas within `root`. */
function addressesOf(root: Schema, budget: Budget): Addresses {
  const targets = new Map<string, Subschema>()
  const bases = new Map<object, string>()
  const waiting: { readonly value: object; readonly at: string; readonly base: string }[] = [
    { value: root, at: '#', base: OWN },
  ]
  targets.set(OWN, { schema: root, at: '#' })
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
  return { targets, bases }
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
 * Returns a function that resolves a reference of a subschema within `root`: a JSON pointer, an anchor, or the `$id` of an embedded
 * schema.
 * @throws AttuneError `BAD_SCHEMA` if the target does not exist or is outside the schema
 */
export function referenceResolver(root: Schema, budget: Budget) {
  let addresses: Addresses | undefined
  const refuse = (reference: string, at: string): Error =>
    badSchema(
      `$ref must point to a part of this schema, got ${excerpt(reference)}`,
      at,
      'Put the target under `$defs`.',
    )
  const otherwise = (reference: string, { schema, at }: Subschema): Subschema => {
    addresses ??= addressesOf(root, budget)
    const uri = resolvedUri(reference, addresses.bases.get(schema) ?? OWN)
    if (uri === undefined) throw refuse(reference, at)
    const [resource = '', fragment = ''] = uri.split('#')
    const exact = addresses.targets.get(fragment === '' ? resource : uri)
    if (exact !== undefined) return exact
    const within = addresses.targets.get(resource)
    const found = within !== undefined && fragment.startsWith('/') ? valueAt(within.schema, fragment) : undefined
    if (within !== undefined && (isRecord(found) || typeof found === 'boolean'))
      return { schema: found as unknown as Schema, at: `${within.at}${fragment}` }
    throw refuse(reference, at)
  }
  const plain = !hasIdentifiers(root, budget)
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
