import { fail, failSyntax } from '../failure.js'
import { MAXIMUM_HEIGHT } from '../parse/cursor.js'
import type { Block, Statement } from '../parse/nodes.js'
import { type Runtime, captureOutput } from '../runtime.js'
import { undefinedBecause } from '../values/attribute.js'
import { type HostObject, type Value, markup } from '../values/value.js'
import { analyze } from './analyze.js'
import { beginStatement, compileBody } from './compile-body.js'
import {
  type Activation,
  type Context,
  DONE,
  type Frame,
  type Runnable,
  ascend,
  descend,
  functionIn,
  scopeHooksOf,
  readSlot,
  slotOf,
} from './scope.js'
import { declare, storesOf, symbolsIn } from './symbols.js'
import { undeclared } from './undeclared.js'

/** A predefined variable: `self` or `super`. */
interface Special {
  readonly name: string
  readonly value: (activation: Activation) => Value
}

/** The variable `self`: the template's blocks by name. */
function selfOf(frame: Frame, { rt, context }: Activation): HostObject {
  const render = (name: string, run: Runnable): HostObject => ({
    kind: 'host',
    type: 'BlockReference',
    repr: () => `<BlockReference '${name}'>`,
    attribute: (_, each) =>
      each === 'name'
        ? name
        : each === 'super'
          ? undefinedBecause(`there is no parent block called '${name}'.`)
          : undefined,
    call() {
      const text = captureOutput(rt, () => runBlock(rt, context, run))
      return rt.autoescape ? markup(text) : text
    },
  })
  return {
    kind: 'host',
    type: 'TemplateReference',
    repr: () => '<TemplateReference None>',
    attribute(_, name) {
      const run = frame.blocks.get(name)
      return run === undefined ? undefined : render(name, run)
    },
  }
}

function runBlock(rt: Runtime, context: Context, run: Runnable): void {
  descend(rt, MAXIMUM_HEIGHT)
  run({ rt, context, slots: [], outer: undefined })
  ascend(rt, MAXIMUM_HEIGHT)
}

/** Compiles statements as a separate function that sees only the template's variables. */
export function compileFunction(
  frame: Frame,
  statements: readonly Statement[],
  specials: readonly Special[],
): Runnable {
  const { rt, symbols, scope } = frame
  const used = undeclared(
    rt,
    statements,
    specials.map(({ name }) => name),
  )
  const predefined = specials
    .filter(({ name }) => used.has(name))
    .map(({ name, value }) => ({ id: declare(symbols, name), value }))
  analyze(rt, symbols, statements)
  const { enter } = scopeHooksOf(frame)
  const slots = predefined.map(({ id, value }) => ({ index: slotOf(scope, id).index, value }))
  const run = compileBody(frame, statements)
  return (a) => {
    enter(a)
    for (const { index, value } of slots) a.slots[index] = value(a)
    return run(a)
  }
}

/** Predefined variable `self` of a template. */
export const selfVariable = (frame: Frame): Special => ({ name: 'self', value: (a) => selfOf(frame, a) })

/** A context with the template's variables and those of the scopes around a block. */
function derived(rt: Runtime, { parent, vars }: Context, locals: ReadonlyMap<string, Value | undefined>): Context {
  rt.spend(10 * (parent.size + vars.size + locals.size))
  rt.hold(60 * (parent.size + vars.size + locals.size))
  const all = new Map([...parent, ...vars])
  for (const [name, value] of locals) if (value !== undefined) all.set(name, value)
  return { parent: all, vars: new Map() }
}

/** Compiles a block, which is rendered in place, since no other template can override it. */
export function compileBlock(frame: Frame, node: Block): Runnable {
  const { name, line } = node
  if (frame.blocks.has(name)) failSyntax(`block '${name}' defined twice`, line)
  // Registered before compilation, to detect a nested block with the same name.
  frame.blocks.set(name, () => DONE)
  const own: Frame = {
    ...frame,
    symbols: symbolsIn(undefined),
    scope: functionIn(undefined),
    isTopLevel: false,
    isSoft: false,
    isInLoop: false,
    autoescape: false,
  }
  const noParent = undefinedBecause(`there is no parent block called '${name}'.`)
  const run = compileFunction(own, node.body, [selfVariable(own), { name: 'super', value: () => noParent }])
  frame.blocks.set(name, run)
  const locals = node.isScoped
    ? [...storesOf(frame.rt, frame.symbols)].map(([local, id]) => [local, slotOf(frame.scope, id)] as const)
    : undefined
  return (a) => {
    beginStatement(a.rt, line, 8)
    if (node.isRequired) fail('TemplateRuntimeError', `Required block '${name}' not found`)
    const context =
      locals === undefined
        ? a.context
        : derived(a.rt, a.context, new Map(locals.map(([local, slot]) => [local, readSlot(a, slot)])))
    runBlock(a.rt, context, run)
    return DONE
  }
}
