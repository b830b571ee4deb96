// @ts-check
/** The link check: every relative link and image in a Markdown file leads to a tracked file or folder, and every anchor to a heading. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { isProgram, report, root } from './packages.mjs'

/** Fenced and inline code, in which brackets are not links. @param {string} text */
const withoutCode = (text) =>
  text.replace(/^(\s*)(```+|~~~+)[\s\S]*?^\1\2/gm, '').replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '')

/** Targets of the links and images of a text, without those of other sites. @param {string} text @returns {string[]} */
export const linksIn = (text) =>
  [...withoutCode(text).matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target))

/** Anchors of the headings of a text, as GitHub makes them. @param {string} text @returns {Set<string>} */
export function anchorsIn(text) {
  /** @type {Set<string>} */
  const anchors = new Set()
  for (const [, heading = ''] of text.replace(/^(```+|~~~+)[\s\S]*?^\1/gm, '').matchAll(/^#{1,6} (.*)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-')
    let [free, n] = [anchor, 0]
    while (anchors.has(free)) free = `${anchor}-${++n}`
    anchors.add(free)
  }
  return anchors
}

/**
 * Problems of the links of one file.
 * @param {string} path @param {string} text @param {ReadonlySet<string>} known files and folders, from the root
 * @param {(path: string) => string} read
 */
export const brokenLinks = (path, text, known, read) =>
  linksIn(text).flatMap((link) => {
    const [target = '', anchor] = link.split('#')
    const file = target === '' ? path : normalize(join(dirname(path), decodeURIComponent(target))).replace(/\/$/, '')
    if (!known.has(file)) return [`${path}: ${link} leads to ${file}, which is not tracked`]
    if (anchor === undefined || !file.endsWith('.md') || anchorsIn(read(file)).has(anchor)) return []
    return [`${path}: ${link}: expected a heading #${anchor} in ${file}`]
  })

/** Every tracked file, and every folder that contains one. */
function tracked() {
  const files = spawnSync('git', ['ls-files'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }).stdout.split('\n')
  const known = new Set(['.'])
  for (const file of files.filter(Boolean))
    for (let path = file; path !== '.' && !known.has(path); path = dirname(path)) known.add(path)
  return { known, pages: files.filter((file) => file.endsWith('.md')) }
}

/** A page's text, empty if it is deleted and not committed yet. @param {string} path */
const read = (path) => {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return ''
  }
}

export function links() {
  const { known, pages } = tracked()
  const problems = pages.flatMap((path) => brokenLinks(path, read(path), known, read))
  return { problems, summary: `${pages.length} pages whose links lead to tracked files` }
}

if (isProgram(import.meta.url)) report(links())
