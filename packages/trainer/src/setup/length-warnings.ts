import type { Chosen, Model, Objective } from '@attune/core'

/** Options of objectives that limit the length of a text, and what the model does with it. */
const LIMITS = { maximumLength: 'reads', maximumTargetLength: 'generates' } as const

/** Warnings for configured maximum lengths that exceed those of the model, which then apply. */
export function lengthWarnings(
  {
    objective,
    model,
  }: { readonly objective: Pick<Objective, 'maximumLength'>; readonly model: Pick<Model, 'maximumLength'> },
  chosen: Pick<Chosen, 'options'>,
): readonly string[] {
  const most = { maximumLength: objective.maximumLength, maximumTargetLength: model.maximumLength }
  return (['maximumLength', 'maximumTargetLength'] as const).flatMap((name) => {
    const wanted = chosen.options[name]
    if (typeof wanted !== 'number' || wanted <= most[name]) return []
    return [
      `objective.${name} is ${wanted}, but the model ${LIMITS[name]} at most ${most[name]} tokens: longer texts are truncated to that`,
    ]
  })
}
