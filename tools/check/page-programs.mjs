// @ts-check
/**
 * Programs and files in the fences of a page. Each `ts` fence is a program; marked `part`, it continues the program before it; marked
 * `no-run`, it is only compiled. A fence marked `file=NAME` is a file that the programs after it find in their folder.
 */
import { fencesIn } from './fences.mjs'

/** @typedef {import('./compile-and-run.mjs').Snippet} Snippet */

/** Shortens training: one epoch, on the smaller file of examples/, with short texts. @param {string} code */
export const shortened = (code) =>
  code
    .replace(/epochs: \d+/g, 'epochs: 1')
    .replace(/maximumLength: \d\d+/g, 'maximumLength: 16')
    .replaceAll('train.jsonl.gz', 'test.jsonl.gz')

/**
 * The programs of a page, in order. They run in one folder, so that a program finds the files that those before it wrote.
 * @param {import('./pages.mjs').Page} page @returns {Snippet[]}
 */
export function programsOf({ path, text }) {
  const folder = path
    .replace(/^docs\//, '')
    .replace(/\.md$/, '')
    .replaceAll('/', '-')
  /** @type {Snippet[]} */
  const programs = []
  /** @type {Record<string, string>} */
  let files = {}
  for (const { language, marks, file, code, line } of fencesIn(text)) {
    const last = programs.at(-1)
    if (file !== undefined) files = { ...files, [file]: code }
    else if (language === 'ts' && marks.includes('part') && last !== undefined) last.code += shortened(code)
    else if (language === 'ts')
      programs.push({
        name: `${path}:${line}`,
        folder,
        file: `line-${line}`,
        code: shortened(code),
        files,
        runs: !marks.includes('no-run'),
        silent: true,
      })
  }
  return programs
}
