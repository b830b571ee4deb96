// @ts-check
/** Fenced code blocks of a Markdown page. */

/**
 * A fenced code block. `marks` are the words after the language; a mark `file=NAME` also sets `file`.
 * @typedef {{ language: string, marks: string[], file: string | undefined, code: string, line: number }} Fence
 */

const FENCE = /^( *)(`{3,})([^\n`]*)\n([\s\S]*?)^\1\2 *$/gm

/** The fences of a page in order; `line` is that of the first line of code. @param {string} page @returns {Fence[]} */
export const fencesIn = (page) =>
  [...page.matchAll(FENCE)].map(({ index, 1: indent = '', 3: info = '', 4: code = '' }) => {
    const [language = '', ...marks] = info.trim().split(/\s+/)
    return {
      language,
      marks,
      file: marks.find((mark) => mark.startsWith('file='))?.slice('file='.length),
      code: indent === '' ? code : code.replaceAll(`\n${indent}`, '\n').replace(indent, ''),
      line: page.slice(0, index).split('\n').length + 1,
    }
  })

/** The page with the content of fences blanked; line numbers stay the same. @param {string} page */
export const withoutFences = (page) => page.replace(FENCE, (fence) => fence.replace(/[^\n]/g, ''))
