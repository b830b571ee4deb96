// @ts-check
/** Declarations of events in TypeScript sources: interfaces by event type, and unions of events. */
import ts from 'typescript'

/** @typedef {{ name: string, optional: boolean, type: string, text: string }} Field */
/** One event type or command; the name is empty for a stream with a single, untyped event. @typedef {{ name: string, text: string, fields: Field[] }} Member */
/** @typedef {{ name: string, packageName: string, text: string, members: Member[] }} Group */

/** Removes `{@link X}` markup. @param {string} text */
const plain = (text) =>
  text
    .replace(/\{@link ([^}|]*)[^}]*\}/g, '`$1`')
    .replace(/\s+/g, ' ')
    .trim()

/** The description in the docstring of a node, without tags. @param {ts.Node} node */
const docOf = (node) =>
  ts
    .getJSDocCommentsAndTags(node)
    .filter(ts.isJSDoc)
    .map(({ comment }) => plain(ts.getTextOfJSDocComment(comment) ?? ''))
    .join(' ')

/** @param {ts.TypeElement} member */
const nameOf = (member) =>
  member.name !== undefined && (ts.isIdentifier(member.name) || ts.isStringLiteral(member.name)) ? member.name.text : ''

/** The type as written, without `readonly` and on one line. @param {ts.TypeNode | undefined} type @param {ts.SourceFile} file */
const typeText = (type, file) => (type?.getText(file) ?? 'unknown').replace(/\breadonly /g, '').replace(/\s+/g, ' ')

/** @param {readonly ts.TypeElement[]} members @param {ts.SourceFile} file @returns {Field[]} */
const fieldsIn = (members, file) =>
  members.filter(ts.isPropertySignature).map((member) => ({
    name: nameOf(member),
    optional: member.questionToken !== undefined,
    type: typeText(member.type, file),
    text: docOf(member),
  }))

/** The interfaces of a file, including those in `declare module`. @param {ts.SourceFile} file */
const interfacesIn = (file) =>
  file.statements.flatMap((statement) => {
    if (!ts.isModuleDeclaration(statement) || statement.body === undefined || !ts.isModuleBlock(statement.body))
      return ts.isInterfaceDeclaration(statement) ? [statement] : []
    return statement.body.statements.filter(ts.isInterfaceDeclaration)
  })

/** The fields of an event's type: a literal, an interface of the same file, or an intersection. @param {ts.TypeNode | undefined} type @param {ts.SourceFile} file @returns {Field[]} */
function fieldsOf(type, file) {
  if (type === undefined) return []
  if (ts.isTypeLiteralNode(type)) return fieldsIn(type.members, file)
  if (ts.isIntersectionTypeNode(type)) return type.types.flatMap((each) => fieldsOf(each, file))
  if (!ts.isTypeReferenceNode(type)) return []
  const declared = interfacesIn(file).find(({ name }) => name.text === type.typeName.getText(file))
  return declared === undefined ? [] : fieldsIn(declared.members, file)
}

/** @param {ts.InterfaceDeclaration} declaration @param {ts.SourceFile} file @returns {Member[]} */
const membersOf = (declaration, file) =>
  declaration.members.filter(ts.isPropertySignature).map((member) => ({
    name: nameOf(member),
    text: docOf(member),
    fields: fieldsOf(member.type, file),
  }))

/** The event type of a literal: the value of its field `type`. @param {ts.TypeNode} type */
function eventTypeOf(type) {
  if (!ts.isTypeLiteralNode(type)) return undefined
  const field = type.members.filter(ts.isPropertySignature).find((member) => nameOf(member) === 'type')
  return field?.type !== undefined && ts.isLiteralTypeNode(field.type) && ts.isStringLiteral(field.type.literal)
    ? field.type.literal.text
    : undefined
}

/** The comment before a member of a union, before its `|`. @param {ts.UnionTypeNode} union @param {number} i @param {ts.SourceFile} file */
function commentBefore(union, i, file) {
  const start = union.types[i - 1]?.getEnd() ?? union.getFullStart()
  const [last] = (ts.getLeadingCommentRanges(file.text, start) ?? []).slice(-1)
  if (last === undefined) return ''
  return plain(file.text.slice(last.pos, last.end).replace(/^\/\*\*|\*\/$|^\s*\* ?/gm, ''))
}

/** @param {ts.TypeAliasDeclaration} alias @param {ts.SourceFile} file @returns {Member[]} */
function unionMembers({ type }, file) {
  if (!ts.isUnionTypeNode(type)) return []
  const names = type.types.map(eventTypeOf)
  if (names.includes(undefined)) return []
  return type.types.map((each, i) => ({
    name: names[i] ?? '',
    text: commentBefore(type, i, file),
    fields: fieldsOf(each, file).filter(({ name }) => name !== 'type'),
  }))
}

const isExported = (/** @type {ts.Declaration} */ node) =>
  (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export) > 0
const isMerged = (/** @type {ts.Node} */ node) => ts.isModuleBlock(node.parent)

/**
 * The events that a source file declares: exported interfaces named `…Events` (also those merged into another module) and
 * `Commands`, exported interfaces named `…Event`, and exported unions of events.
 * @param {string} packageName @param {string} path @param {string} source @returns {Group[]}
 */
export function declaredEvents(packageName, path, source) {
  if (!/\b(\w*Events?|Commands)\b/.test(source)) return []
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
  const group = (
    /** @type {ts.InterfaceDeclaration | ts.TypeAliasDeclaration} */ node,
    /** @type {Member[]} */ members,
  ) => ({
    name: node.name.text,
    packageName,
    text: docOf(node),
    members,
  })
  const interfaces = interfacesIn(file).filter((node) => isExported(node) || isMerged(node))
  const single = (/** @type {ts.InterfaceDeclaration} */ node) => [
    { name: '', text: '', fields: fieldsIn(node.members, file) },
  ]
  return [
    ...interfaces
      .filter(({ name }) => /.Events$|^Commands$/.test(name.text))
      .map((node) => group(node, membersOf(node, file))),
    ...interfaces.filter(({ name }) => /.Event$/.test(name.text)).map((node) => group(node, single(node))),
    ...file.statements
      .filter(ts.isTypeAliasDeclaration)
      .filter((node) => isExported(node) && /.Event$/.test(node.name.text))
      .map((node) => group(node, unionMembers(node, file))),
  ].filter(({ members }) => members.length > 0)
}
