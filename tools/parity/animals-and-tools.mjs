// @ts-check
/** Short texts of two classes, for classifiers trained in tests. */

export const ANIMALS = ['the cat purrs', 'a dog barks loudly', 'the horse gallops', 'small birds sing', 'a cow grazes']
const TOOLS = [
  'the compiler emits code',
  'a debugger steps',
  'the linker joins',
  'tests run in parallel',
  'a parser reads',
]
export const rows = Array.from({ length: 20 }, (_, i) => ({
  text: (i % 2 === 0 ? ANIMALS : TOOLS)[Math.floor(i / 2) % 5],
  label: i % 2 === 0 ? 'animal' : 'tool',
}))
