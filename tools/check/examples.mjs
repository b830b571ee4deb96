// @ts-check
/**
 * Examples in docstrings: the `ts` fence of each `@example`. They run in one process per package; an example marked `no-run`, such as
 * one that needs a network, is only compiled.
 */
import { fencesIn } from './fences.mjs'
import { sourcesOf } from './packages.mjs'

/** An example, with the texts that its comments say it prints. @typedef {{ at: string, code: string, runs: boolean, expected: string[] }} Example */

const COMMENT = /\/\*\*[\s\S]*?\*\//g
const SECTION = /^@example\b[^\n]*\n([\s\S]*?)(?=^@\w|$(?![\s\S]))/gm

/**
 * The texts that the comments of a program say it prints: a comment after `console.log(…)`, or the comment lines below it.
 * @param {string} code
 */
export function expectedOutput(code) {
  /** @type {string[]} */
  const expected = []
  let below = false
  for (const line of code.split('\n')) {
    const [, beside] = /\)\s*\/\/ (.+)$/.exec(line) ?? []
    const [, alone] = /^\s*\/\/ (.+)$/.exec(line) ?? []
    const prints = /console\.log\(|^\s*\)/.test(line)
    if (prints && beside !== undefined) expected.push(beside)
    else if (below && alone !== undefined) expected.push(alone)
    below = (prints && beside === undefined) || (below && alone !== undefined)
  }
  return expected
}

/** The text without what a comment may write otherwise: spaces, commas, and "then" between lines. @param {string} text */
const canonical = (text) => text.replace(/, then /g, '').replace(/[\s,]+/g, '')

/** The end of the first run of whole lines from a position on that together are a text; undefined if there is none. @param {readonly string[]} lines @param {number} from @param {string} text */
function endOfMatch(lines, from, text) {
  for (let start = from; start < lines.length; start++)
    for (let end = start, joined = ''; end < lines.length && joined.length < text.length; end++) {
      joined += lines[end]
      if (joined === text) return end + 1
    }
  return undefined
}

/** The expected texts that are not in the output, as whole lines and in order. @param {readonly string[]} expected @param {string} output */
export function missingOutput(expected, output) {
  const lines = output.split('\n').map(canonical).filter(Boolean)
  let from = 0
  return expected.filter((text) => {
    const end = endOfMatch(lines, from, canonical(text))
    from = end ?? from
    return end === undefined
  })
}

/** The examples in a source file, and problems of their form. @param {string} path @param {string} source */
export function examplesIn(path, source) {
  /** @type {Example[]} */
  const examples = []
  const problems = []
  for (const { 0: comment, index } of source.matchAll(COMMENT)) {
    const text = comment.replace(/^\/\*\*|\s*\*\/$/g, '').replace(/^[ \t]*\* ?/gm, '')
    for (const { 1: section = '', index: start } of text.matchAll(SECTION)) {
      const at = `${path}:${`${source.slice(0, index)}${text.slice(0, start)}`.split('\n').length}`
      const [fence] = fencesIn(section).filter(({ language }) => language === 'ts')
      if (fence === undefined) problems.push(`${at}: expected a \`\`\`ts fence after @example`)
      else
        examples.push({
          at,
          code: fence.code,
          runs: !fence.marks.includes('no-run'),
          expected: expectedOutput(fence.code),
        })
    }
  }
  return { examples, problems }
}

/** The examples of the packages, by folder. @param {readonly import('./packages.mjs').Package[]} packages */
export function examplesOf(packages) {
  const found = packages.map((each) => ({
    short: each.short,
    files: sourcesOf(each).map(([path, source]) => examplesIn(`${each.folder}/${path}`, source)),
  }))
  return {
    groups: found
      .map(({ short, files }) => ({ folder: `examples-${short}`, examples: files.flatMap(({ examples }) => examples) }))
      .filter(({ examples }) => examples.length > 0),
    problems: found.flatMap(({ files }) => files.flatMap(({ problems }) => problems)),
  }
}
