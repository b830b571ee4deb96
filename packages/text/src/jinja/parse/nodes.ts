import type { Value } from '../values/value.js'

interface Base {
  /** Line in the template. */
  readonly line: number
  /** Height of the subtree, including this node. */
  readonly height: number
}

/** Arguments of a call, filter or test. */
export interface CallArguments {
  readonly positional: readonly Expression[]
  readonly named: readonly (readonly [name: string, value: Expression])[]
  /** `*values` */
  readonly spread: Expression | undefined
  /** `**values` */
  readonly spreadNamed: Expression | undefined
}

/** A literal: `1`, `'a'`, `none`. */
export interface Constant extends Base {
  readonly type: 'constant'
  readonly value: Value
}
/** Template text outside tags. */
export interface Data extends Base {
  readonly type: 'data'
  readonly text: string
}
/** A variable that is read or assigned. */
export interface Name extends Base {
  readonly type: 'name'
  readonly name: string
}
/** Assignment target `namespace.attribute`. */
export interface NamespaceTarget extends Base {
  readonly type: 'namespace'
  readonly name: string
  readonly attribute: string
}
/** `(a, b)` or `[a, b]`. */
export interface Sequence extends Base {
  readonly type: 'tuple' | 'list'
  readonly items: readonly Expression[]
}
/** `{a: b}` */
export interface DictLiteral extends Base {
  readonly type: 'dict'
  readonly pairs: readonly (readonly [Expression, Expression])[]
}
/** `then if test else otherwise` */
export interface Conditional extends Base {
  readonly type: 'conditional'
  readonly test: Expression
  readonly then: Expression
  readonly otherwise: Expression | undefined
}
/** Arithmetic, `and`, `or`. */
export interface Binary extends Base {
  readonly type: 'binary'
  readonly operator: string
  readonly left: Expression
  readonly right: Expression
}
/** `not a`, `-a`, `+a`. */
export interface Unary extends Base {
  readonly type: 'unary'
  readonly operator: 'not' | '-' | '+'
  readonly operand: Expression
}
/** `a ~ b` */
export interface Concat extends Base {
  readonly type: 'concat'
  readonly items: readonly Expression[]
}
/** `a < b <= c` */
export interface Compare extends Base {
  readonly type: 'compare'
  readonly first: Expression
  readonly rest: readonly (readonly [operator: string, operand: Expression])[]
}
/** `object.name` */
export interface Attribute extends Base {
  readonly type: 'attribute'
  readonly object: Expression
  readonly name: string
}
/** `object[key]` */
export interface Item extends Base {
  readonly type: 'item'
  readonly object: Expression
  readonly key: Expression
}
/** Slice `start:stop:step` in brackets. */
export interface SliceKey extends Base {
  readonly type: 'slice'
  readonly parts: readonly [Expression | undefined, Expression | undefined, Expression | undefined]
}
/** `callee(arguments)` */
export interface Call extends Base {
  readonly type: 'call'
  readonly callee: Expression
  readonly args: CallArguments
}
/** A filter; without an operand it applies to the text of its block. */
export interface FilterNode extends Base {
  readonly type: 'filter'
  readonly operand: Expression | undefined
  readonly name: string
  readonly args: CallArguments
}
/** `operand is name(arguments)` */
export interface TestNode extends Base {
  readonly type: 'test'
  readonly operand: Expression
  readonly name: string
  readonly args: CallArguments
}

/** An expression. */
export type Expression =
  | Constant
  | Data
  | Name
  | NamespaceTarget
  | Sequence
  | DictLiteral
  | Conditional
  | Binary
  | Unary
  | Concat
  | Compare
  | Attribute
  | Item
  | SliceKey
  | Call
  | FilterNode
  | TestNode

/** An assignment target. */
export type Target = Name | NamespaceTarget | Sequence

/** A sequence of texts and values to output. */
export interface Output extends Base {
  readonly type: 'output'
  readonly items: readonly Expression[]
}
/** `{% for target in iterable if test recursive %}` */
export interface For extends Base {
  readonly type: 'for'
  readonly target: Target
  readonly iterable: Expression
  readonly body: readonly Statement[]
  readonly otherwise: readonly Statement[]
  readonly test: Expression | undefined
  readonly isRecursive: boolean
}
/** `{% if %}` with its `elif` branches. */
export interface If extends Base {
  readonly type: 'if'
  readonly branches: readonly { readonly test: Expression; readonly body: readonly Statement[] }[]
  readonly otherwise: readonly Statement[]
}
/** Parameters of a macro or call block. */
export interface Parameters {
  readonly names: readonly string[]
  /** Default values of the last parameters. */
  readonly defaults: readonly Expression[]
}
/** `{% macro name(parameters) %}` */
export interface MacroNode extends Base {
  readonly type: 'macro'
  readonly name: string
  readonly parameters: Parameters
  readonly body: readonly Statement[]
}
/** `{% call(parameters) macro() %}` */
export interface CallBlock extends Base {
  readonly type: 'call-block'
  readonly call: Call
  readonly parameters: Parameters
  readonly body: readonly Statement[]
}
/** `{% generation %}`, which transformers adds to Jinja2. */
export interface Generation extends Base {
  readonly type: 'generation'
  readonly body: readonly Statement[]
}
/** `{% filter name %}` */
export interface FilterBlock extends Base {
  readonly type: 'filter-block'
  readonly filter: FilterNode
  readonly body: readonly Statement[]
}
/** `{% with a = 1 %}` */
export interface With extends Base {
  readonly type: 'with'
  readonly assignments: readonly (readonly [Target, Expression])[]
  readonly body: readonly Statement[]
}
/** `{% block name %}` */
export interface Block extends Base {
  readonly type: 'block'
  readonly name: string
  readonly isScoped: boolean
  readonly isRequired: boolean
  readonly body: readonly Statement[]
}
/** A tag that loads another template; not supported. */
export interface Load extends Base {
  readonly type: 'load'
  readonly tag: 'extends' | 'include' | 'import' | 'from'
  readonly template: Expression
  /** Names that it would define. */
  readonly names: readonly string[]
}
/** `{% set target = value %}` */
export interface Assign extends Base {
  readonly type: 'assign'
  readonly target: Target
  readonly value: Expression
}
/** `{% set target | filter %}…{% endset %}` */
export interface AssignBlock extends Base {
  readonly type: 'assign-block'
  readonly target: Target
  readonly filter: FilterNode | undefined
  readonly body: readonly Statement[]
}
/** `{% autoescape value %}` */
export interface Autoescape extends Base {
  readonly type: 'autoescape'
  readonly value: Expression
  readonly body: readonly Statement[]
}
/** `{% break %}` or `{% continue %}` */
export interface Jump extends Base {
  readonly type: 'break' | 'continue'
}

/** A statement. */
export type Statement =
  | Output
  | For
  | If
  | MacroNode
  | CallBlock
  | Generation
  | FilterBlock
  | With
  | Block
  | Load
  | Assign
  | AssignBlock
  | Autoescape
  | Jump

/** A node of the syntax tree. */
export type Node = Expression | Statement
