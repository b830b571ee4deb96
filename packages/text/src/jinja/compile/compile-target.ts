import { fail } from '../failure.js'
import { checkName } from '../globals.js'
import type { Target } from '../parse/nodes.js'
import { collect, isIterable } from '../values/iterate.js'
import { type Namespace, type Value, kindOf, typeName } from '../values/value.js'
import { namesOfTarget } from './children.js'
import { type Activation, type Frame, enclosingActivation, readSlot, slotOfName } from './scope.js'

/** Assigns a value. */
export type AssignValue = (activation: Activation, value: Value) => void

function assignNamespace(frame: Frame, name: string, attribute: string): AssignValue {
  const slot = slotOfName(frame, name)
  return (a, value) => {
    checkName(attribute)
    const { values } = readSlot(a, slot) as Namespace
    a.rt.hold(values.has(attribute) ? 0 : 80)
    values.set(attribute, value)
  }
}

function assignItems(frame: Frame, targets: readonly Target[]): AssignValue {
  const assigns = targets.map((target) => compileTarget(frame, target))
  return (a, value) => {
    if (!isIterable(value)) fail('TypeError', `cannot unpack non-iterable ${typeName(value)} object`)
    const items = collect(a.rt, value)
    a.rt.spend(2 * assigns.length)
    if (items.length !== assigns.length)
      fail(
        'ValueError',
        items.length > assigns.length
          ? `too many values to unpack (expected ${assigns.length})`
          : `not enough values to unpack (expected ${assigns.length}, got ${items.length})`,
      )
    for (const [at, assign] of assigns.entries()) assign(a, items[at]!)
  }
}

/** Compiles the assignment of a value to names, to namespace attributes, or to a tuple of these. */
export function compileTarget(frame: Frame, target: Target): AssignValue {
  if (target.type === 'namespace') return assignNamespace(frame, target.name, target.attribute)
  if (target.type !== 'name') return assignItems(frame, target.items as readonly Target[])
  const { hops, index } = slotOfName(frame, target.name)
  return hops === 0
    ? ({ slots }, value) => void (slots[index] = value)
    : (activation, value) => void (enclosingActivation(activation, hops).slots[index] = value)
}

const namespacesIn = (target: Target): readonly string[] => {
  if (target.type === 'tuple' || target.type === 'list')
    return target.items.flatMap((item) => namespacesIn(item as Target))
  return target.type === 'namespace' ? [target.name] : []
}

/** Compiles the check that attribute targets belong to namespaces. */
export function compileNamespaceCheck(frame: Frame, target: Target): (activation: Activation) => void {
  const slots = namespacesIn(target).map((name) => slotOfName(frame, name))
  return (a) => {
    for (const slot of slots)
      if (kindOf(readSlot(a, slot) ?? null) !== 'namespace')
        fail('TemplateRuntimeError', 'cannot assign attribute on non-namespace object; create one with namespace()')
  }
}

/** Compiles the export of assigned values to the template's variables, at the top level only. */
export function compileExport(frame: Frame, target: Target): (activation: Activation) => void {
  if (!frame.isTopLevel) return () => undefined
  const exports = namesOfTarget(target).map((name) => ({ name, slot: slotOfName(frame, name) }))
  return (a) => {
    for (const { name, slot } of exports) a.context.vars.set(name, readSlot(a, slot)!)
  }
}
