import { apply, isFilter, isTest, test } from '../environment.js'
import { fail, failSyntax } from '../failure.js'
import type { Call, CallArguments, FilterNode, TestNode } from '../parse/nodes.js'
import { type Runtime, write } from '../runtime.js'
import { getAttribute, isHidden, methodOf } from '../values/attribute.js'
import { pairsOf } from '../values/dict.js'
import { collect } from '../values/iterate.js'
import { textOf } from '../values/text-of.js'
import {
  type Arguments,
  type HostObject,
  type Value,
  isUndefined,
  kindOf,
  stringOf,
  typeName,
} from '../values/value.js'
import { compileAll, compileOperand } from './compile-operands.js'
import type { Activation, Evaluate, Frame } from './scope.js'

type EvaluateArguments = (activation: Activation) => Arguments

function addSpread(rt: Runtime, named: Map<string, Value>, value: Value): void {
  if (typeof value !== 'object' || value?.kind !== 'dict')
    return fail('TypeError', `argument after ** must be a mapping, not ${typeName(value)}`)
  for (const [key, each] of pairsOf(value)) {
    const name = stringOf(key) ?? fail('TypeError', 'keywords must be strings')
    // V8's hashes of digit strings are easy to make collide.
    rt.spend(/^\d/.test(name) ? 8000 : 10)
    rt.hold(60)
    if (named.has(name)) fail('TypeError', `got multiple values for keyword argument '${name}'`)
    named.set(name, each)
  }
}

function spreadItems(rt: Runtime, value: Value): readonly Value[] {
  const items = collect(rt, value)
  rt.spend(2 * items.length)
  rt.hold(8 * items.length)
  return items
}

/** Compiles the arguments of a call. */
export function compileArguments(frame: Frame, args: CallArguments): EvaluateArguments {
  const positional = compileAll(frame, args.positional)
  if (args.named.length === 0 && args.spread === undefined && args.spreadNamed === undefined)
    return (a) => ({ positional: positional(a), named: undefined })
  const names = args.named.map(([name]) => name)
  const values = compileAll(
    frame,
    args.named.map(([, value]) => value),
  )
  const spread = args.spread === undefined ? undefined : compileOperand(frame, args.spread)
  const spreadNamed = args.spreadNamed === undefined ? undefined : compileOperand(frame, args.spreadNamed)
  return (a) => {
    const first = positional(a)
    const named = new Map<string, Value>()
    a.rt.spend(20 * names.length)
    a.rt.hold(100 + 60 * names.length)
    for (const [at, value] of values(a).entries()) named.set(names[at]!, value)
    const rest = spread === undefined ? [] : spreadItems(a.rt, spread(a))
    if (spreadNamed !== undefined) addSpread(a.rt, named, spreadNamed(a))
    return { positional: rest.length === 0 ? first : [...first, ...rest], named: named.size === 0 ? undefined : named }
  }
}

/**
 * Calls a value.
 * @throws Python's TypeError if it is not callable
 */
export function callValue(rt: Runtime, callee: Value, args: Arguments): Value {
  rt.spend(12)
  if (kindOf(callee) === 'host') {
    const { call } = callee as HostObject
    if (call !== undefined) return call(rt, args)
  }
  if (isUndefined(callee)) return callee.raise(rt)
  return fail('TypeError', `'${typeName(callee)}' object is not callable`)
}

/** Compiles a call. A method call does not create a bound method. */
export function compileCall(frame: Frame, { callee, args }: Call): Evaluate {
  const passed = compileArguments(frame, args)
  if (callee.type !== 'attribute') {
    const called = compileOperand(frame, callee)
    return (a) => {
      const value = called(a)
      return callValue(a.rt, value, passed(a))
    }
  }
  const object = compileOperand(frame, callee.object)
  const { name } = callee
  return (a) => {
    const self = object(a)
    const method = isHidden(self, name) ? undefined : methodOf(self, name)
    if (method !== undefined) {
      a.rt.spend(12)
      return method(a.rt, self, passed(a), name)
    }
    const value = getAttribute(a.rt, self, name)
    return callValue(a.rt, value, passed(a))
  }
}

/** Compiles the evaluation of a call's callee and arguments, without the call itself. */
export function compileParts(frame: Frame, { callee, args }: Call) {
  const called = compileOperand(frame, callee)
  const passed = compileArguments(frame, args)
  return (a: Activation) => {
    const value = called(a)
    return { callee: value, args: passed(a) }
  }
}

function writeCall(rt: Runtime, callee: Value, args: Arguments): void {
  const { write: writeSelf } = (kindOf(callee) === 'host' ? callee : {}) as Partial<HostObject>
  // A macro writes directly to the output, which avoids building its text first.
  if (writeSelf !== undefined && !rt.autoescape) writeSelf(rt, args)
  else write(rt, textOf(rt, callValue(rt, callee, args)))
}

/** Compiles a call that writes its result. */
export function compileCallOutput(frame: Frame, { callee, args }: Call): (activation: Activation) => void {
  const passed = compileArguments(frame, args)
  if (callee.type !== 'attribute') {
    const called = compileOperand(frame, callee)
    return (a) => {
      const value = called(a)
      writeCall(a.rt, value, passed(a))
    }
  }
  const object = compileOperand(frame, callee.object)
  const { name } = callee
  return (a) => {
    const self = object(a)
    const method = isHidden(self, name) ? undefined : methodOf(self, name)
    if (method !== undefined) {
      a.rt.spend(12)
      return write(a.rt, textOf(a.rt, method(a.rt, self, passed(a), name)))
    }
    const value = getAttribute(a.rt, self, name)
    writeCall(a.rt, value, passed(a))
  }
}

/** Rejects an unknown filter or test: at compile time or, in a conditional branch, when it is used. */
function checkKnown(frame: Frame, what: 'filter' | 'test', name: string, line: number, isKnown: boolean): void {
  if (!isKnown && !frame.isSoft) failSyntax(`No ${what} named '${name}'.`, line)
}

/** Creates the runtime error for an unknown filter or test. */
const unknown =
  (what: 'filter' | 'test', name: string): (() => never) =>
  () =>
    fail('TemplateRuntimeError', `No ${what} named '${name}' found.`)

/** Evaluates an operand, whose errors take precedence, and then raises another error. */
const raiseAfter =
  (operand: Evaluate, refuse: () => never): Evaluate =>
  (a) => {
    operand(a)
    return refuse()
  }

/** Compiles a filter expression. */
export function compileFilter(frame: Frame, node: FilterNode): Evaluate {
  // Checked before the operand is compiled: of two unknown filters, the outer one is reported.
  checkKnown(frame, 'filter', node.name, node.line, isFilter(node.name))
  if (node.operand === undefined) return fail('RuntimeError', 'expected an operand of the filter, got none')
  return filterOf(frame, node, compileOperand(frame, node.operand))
}

/** Compiles a filter of a compiled operand. */
export function filterOf(frame: Frame, { name, args, line }: FilterNode, operand: Evaluate): Evaluate {
  checkKnown(frame, 'filter', name, line, isFilter(name))
  const passed = compileArguments(frame, args)
  if (!isFilter(name)) return raiseAfter(operand, unknown('filter', name))
  return (a) => {
    const value = operand(a)
    return apply(a.rt, name, value, passed(a))
  }
}

/** Compiles a test. */
export function compileTest(frame: Frame, { operand, name, args, line }: TestNode): Evaluate {
  checkKnown(frame, 'test', name, line, isTest(name))
  const [of, passed] = [compileOperand(frame, operand), compileArguments(frame, args)]
  if (!isTest(name)) return raiseAfter(of, unknown('test', name))
  return (a) => {
    const value = of(a)
    return test(a.rt, name, value, passed(a))
  }
}
