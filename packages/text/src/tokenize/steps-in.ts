/** Steps in a section of a tokenizer.json: one step, or the steps of a sequence; empty if the section is absent. */
export function stepsIn<S extends { readonly type: string }>(part: object | null | undefined): readonly S[] {
  if (part == null) return []
  const section = part as { readonly type: string } & Readonly<Record<string, unknown>>
  if (section.type !== 'Sequence') return [section as unknown as S]
  return Object.values(section).find((value): value is S[] => Array.isArray(value)) ?? []
}
