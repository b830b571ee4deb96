import type { Optimizer, Params } from '@attune/core'

/** True if a parameter's name matches a pattern, in which `*` matches any characters. */
export function matchesPattern(name: string, pattern: string): boolean {
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
        ((own: Params) => {
          const { loss, grads: all } = closure({ ...params, ...own })
          return { loss, grads: part(all) }
        })
      const { updates, state: next } = link.update(part(grads), state, part(params), hyper, inner)
      return { updates: { ...grads, ...updates }, state: next }
    },
    ...(evaluationParams === undefined
      ? {}
      : { evaluationParams: (state, params) => ({ ...params, ...evaluationParams.call(link, state, part(params)) }) }),
  }
}
