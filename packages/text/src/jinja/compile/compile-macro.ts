import { fail, failSyntax } from '../failure.js'
import type { CallBlock, Generation, MacroNode, Parameters, Statement } from '../parse/nodes.js'
import { type Runtime, captureOutput, write } from '../runtime.js'
import { undefinedBecause } from '../values/attribute.js'
import { dictOf } from '../values/dict.js'
import { quote } from '../values/text-of.js'
import { type Arguments, type HostObject, type Value, markup, stringOf, tuple, typeName } from '../values/value.js'
import { analyze, analyzeExpression } from './analyze.js'
import { beginStatement, compileBody } from './compile-body.js'
import { callValue, compileParts } from './compile-call.js'
import { compileExpression, costOf } from './compile-expression.js'
import {
  type Activation,
  DONE,
  type Frame,
  type Runnable,
  ascend,
  descend,
  functionFrame,
  scopeHooksOf,
  slotOf,
  slotOfName,
} from './scope.js'
import { declare } from './symbols.js'
import { undeclared } from './undeclared.js'

const SPECIAL = ['caller', 'kwargs', 'varargs'] as const
type Special = (typeof SPECIAL)[number]

/** Compiled code of a macro, without the activation in which it is defined. */
interface MacroCode {
  readonly parameters: readonly string[]
  readonly specials: ReadonlySet<Special>
  /** Runs it with values for its parameters and {@link specials}, in this order; undefined for missing ones. */
  readonly run: (defined: Activation, values: readonly (Value | undefined)[]) => void
}

/** Special variables that the body of a macro uses. */
function specialsOf(
  frame: Frame,
  { names, defaults }: Parameters,
  body: readonly Statement[],
  line: number,
): Set<Special> {
  const used = undeclared(frame.rt, body, SPECIAL)
  const specials = new Set(SPECIAL.filter((name) => used.has(name)))
  const at = names.indexOf('caller')
  if (at >= 0 && specials.has('caller') && at < names.length - defaults.length)
    failSyntax('the special parameter "caller" of a macro must be omitted or have a default', line)
  if (at >= 0) specials.delete('caller')
  for (const name of ['kwargs', 'varargs'] as const) if (names.includes(name)) specials.delete(name)
  return specials
}

type Fill = (activation: Activation) => void

/** Compiles the default values of parameters. */
function compileDefaults(frame: Frame, { names, defaults }: Parameters): readonly Fill[] {
  return names.map((name, at) => {
    const { index } = slotOfName(frame, name)
    const node = defaults[at - (names.length - defaults.length)]
    const missing = undefinedBecause(`parameter '${name}' was not provided`)
    const value = node === undefined ? () => missing : compileExpression(frame, node)
    const cost = node === undefined ? 2 : costOf(frame.rt, node)
    return (a) => {
      if (a.slots[index] !== undefined) return
      a.rt.spend(cost)
      a.slots[index] = value(a)
    }
  })
}

function compileCode(
  frame: Frame,
  parameters: Parameters,
  body: readonly Statement[],
  node: { line: number; height: number },
): MacroCode {
  const inner = functionFrame(frame)
  const { rt, symbols, scope } = inner
  const specials = specialsOf(frame, parameters, body, node.line)
  const ids = [...parameters.names, ...specials].map((name) => declare(symbols, name))
  for (const each of parameters.defaults) analyzeExpression(rt, symbols, each)
  analyze(rt, symbols, body)
  const { enter } = scopeHooksOf(inner)
  const slots = ids.map((id) => slotOf(scope, id).index)
  const fills = compileDefaults(inner, parameters)
  const runBody = compileBody(inner, body)
  return {
    parameters: parameters.names,
    specials,
    run(defined, values) {
      const { rt: run } = defined
      const { line } = run
      descend(run, node.height)
      run.spend(40 + 20 * values.length)
      run.hold(200)
      const activation: Activation = { rt: run, context: defined.context, slots: [], outer: defined }
      enter(activation)
      for (const [at, value] of values.entries()) activation.slots[slots[at]!] = value
      for (const fill of fills) fill(activation)
      runBody(activation)
      ascend(run, node.height)
      run.line = line
    },
  }
}

/** Binds arguments to a macro's parameters and special variables: Jinja2's `Macro.__call__`. */
function bindMacro(
  rt: Runtime,
  { parameters, specials }: MacroCode,
  name: string | undefined,
  args: Arguments,
): (Value | undefined)[] {
  const { positional } = args
  const named = new Map(args.named ?? [])
  rt.spend(20 * named.size)
  rt.hold(60 * named.size)
  const values: (Value | undefined)[] = positional.slice(0, parameters.length)
  for (const parameter of parameters.slice(values.length)) {
    values.push(named.get(parameter))
    named.delete(parameter)
  }
  const shown = name === undefined ? 'None' : `'${name}'`
  for (const special of specials) {
    if (special === 'caller') {
      values.push(named.get('caller') ?? undefinedBecause('No caller defined'))
      named.delete('caller')
    } else values.push(special === 'kwargs' ? dictOf(rt, named) : tuple(positional.slice(parameters.length)))
  }
  if (named.size > 0 && !specials.has('kwargs'))
    fail('TypeError', `macro ${shown} takes no keyword argument '${[...named.keys()][0]}'`)
  if (positional.length > parameters.length && !specials.has('varargs'))
    fail('TypeError', `macro ${shown} takes not more than ${parameters.length} argument(s)`)
  return values
}

function macroOf(code: MacroCode, name: string | undefined, defined: Activation): HostObject {
  const writeMacro = (rt: Runtime, args: Arguments): void => code.run(defined, bindMacro(rt, code, name, args))
  const { parameters, specials } = code
  const attributes: Readonly<Record<string, Value>> = {
    name: name ?? null,
    arguments: tuple(parameters),
    catch_kwargs: specials.has('kwargs'),
    catch_varargs: specials.has('varargs'),
    caller: specials.has('caller') || parameters.includes('caller'),
    explicit_caller: parameters.includes('caller'),
  }
  return {
    kind: 'host',
    type: 'Macro',
    repr: (rt) => `<Macro ${name === undefined ? 'anonymous' : quote(rt, name)}>`,
    attribute: (_, each) => (Object.hasOwn(attributes, each) ? attributes[each] : undefined),
    write: writeMacro,
    call(rt, args) {
      const { autoescape } = rt
      const text = captureOutput(rt, () => writeMacro(rt, args))
      return autoescape ? markup(text) : text
    },
  }
}

/** Compiles a macro definition. */
export function compileMacro(frame: Frame, node: MacroNode): Runnable {
  const code = compileCode(frame, node.parameters, node.body, node)
  const { index } = slotOfName(frame, node.name)
  return (a) => {
    beginStatement(a.rt, node.line, 20)
    a.rt.hold(600)
    const macro = macroOf(code, node.name, a)
    a.slots[index] = macro
    if (frame.isTopLevel) a.context.vars.set(node.name, macro)
    return DONE
  }
}

/** Compiles a call block, which is passed to the macro as `caller`. */
export function compileCallBlock(frame: Frame, node: CallBlock): Runnable {
  const code = compileCode(frame, node.parameters, node.body, node)
  const parts = compileParts(frame, node.call)
  const cost = 20 + costOf(frame.rt, node.call)
  return (a) => {
    const { rt } = a
    beginStatement(rt, node.line, cost)
    rt.hold(600)
    const { callee, args } = parts(a)
    if (args.named?.has('caller') === true) fail('TypeError', "got multiple values for keyword argument 'caller'")
    const named = new Map([...(args.named ?? []), ['caller', macroOf(code, undefined, a)] as const])
    const full: Arguments = { positional: args.positional, named }
    const target = callee as Partial<HostObject> | null
    if (typeof callee === 'object' && target?.write !== undefined && !rt.autoescape) target.write(rt, full)
    else {
      const value = callValue(rt, callee, full)
      write(
        rt,
        stringOf(value) ?? fail('TypeError', `a call block must return a str, got a value of type ${typeName(value)}`),
      )
    }
    return DONE
  }
}

/** Compiles a generation block, which records its position in the output. */
export function compileGeneration(frame: Frame, node: Generation): Runnable {
  const code = compileCode(frame, { names: [], defaults: [] }, node.body, node)
  return (a) => {
    const { rt } = a
    beginStatement(rt, node.line, 20)
    const { sink } = rt
    const start = sink.text.length
    code.run(a, bindMacro(rt, code, undefined, { positional: [], named: undefined }))
    if (sink.isRoot) rt.spans.push([start, sink.text.length])
    else rt.hasHiddenSpan = true
    rt.hold(40)
    return DONE
  }
}
