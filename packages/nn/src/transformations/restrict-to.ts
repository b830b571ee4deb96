import type { Optimizer, Params } from '@attune/core'

/** True if a name matches one alternative of a pattern. */
function matchesAlternative(name: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return name === pattern
  if (!name.startsWith(first)) return false
  const last = rest.pop()!
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}

/**
 * True if a parameter's name matches a pattern: `*` matches any characters, `|` separates alternatives, and an alternative that starts with
 * `!` excludes names. A pattern of exclusions only matches all other names.
 *
 * @example
 * ```ts
 * import { matchesPattern } from '@attune/nn'
 * const hidden = 'bert.encoder.*.weight|!*LayerNorm*'
 * const names = ['bert.encoder.layer.0.output.dense.weight', 'bert.encoder.layer.0.output.LayerNorm.weight', 'classifier.weight']
 * console.log(names.map((name) => matchesPattern(name, hidden))) // [ true, false, false ]
 * console.log(names.map((name) => matchesPattern(name, '!bert.*'))) // [ false, false, true ]
 * ```
 */
export function matchesPattern(name: string, pattern: string): boolean {
  const alternatives = pattern.split('|')
  const excluded = alternatives.filter((each) => each.startsWith('!'))
  const included = alternatives.filter((each) => !each.startsWith('!'))
  const isIncluded = included.length === 0 || included.some((each) => matchesAlternative(name, each))
  return isIncluded && !excluded.some((each) => matchesAlternative(name, each.slice(1)))
}

/**
 * Restricts an optimizer to the parameters whose names match `pattern`; other updates pass through unchanged. Its
 * closure evaluates all parameters, with the passed ones replaced.
 */
export function restrictTo(link: Optimizer, pattern: string): Optimizer {
  const part = (params: Params): Params =>
    Object.fromEntries(Object.entries(params).filter(([name]) => matchesPattern(name, pattern)))
  const { evaluationParams } = link
  return {
    ...link,
    init: (params) => link.init(part(params)),
    update(grads, state, params, hyper, closure) {
      const inner =
        closure &&
        ((own: Params, labels?: 'sampled') => {
          const { grads: all, ...rest } = closure({ ...params, ...own }, labels)
          return { ...rest, grads: part(all) }
        })
      const { updates, state: next } = link.update(part(grads), state, part(params), hyper, inner)
      return { updates: { ...grads, ...updates }, state: next }
    },
    ...(evaluationParams === undefined
      ? {}
      : { evaluationParams: (state, params) => ({ ...params, ...evaluationParams.call(link, state, part(params)) }) }),
  }
}
