// @ts-check
/** @param {string} text */
const escapeCell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** A Markdown table. @param {string[]} header @param {string[][]} rows */
export const table = (header, rows) =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.map(escapeCell).join(' | ')} |`).join('\n')
