// @ts-check
/** Commands and words of shell code. */

/** A comment, an operator, a word (quotes, escapes, `<placeholder>` and `$(…)` included), or another character. */
const TOKEN =
  /(#[^\n]*)|(&&|\|\|?|;|\n|[0-9]?>>?|<(?![\w-]+>))|((?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]|<[^>\s]*>|\$\([^)]*\)|[^\s"'|;&<>])+)|[\s\S]/g

/** The commands in shell code, each as its words; redirections are left out. @param {string} code @returns {string[][]} */
export function shellCommands(code) {
  /** @type {string[][]} */
  const commands = [[]]
  let redirected = false
  for (const [, comment, operator, word] of code.replaceAll('\\\n', ' ').matchAll(TOKEN)) {
    if (comment !== undefined) continue
    if (operator !== undefined && /[<>]/.test(operator)) redirected = true
    else if (operator !== undefined) commands.push([])
    else if (word !== undefined && redirected) redirected = false
    else if (word !== undefined) commands.at(-1)?.push(word.replace(/^(["'])([\s\S]*)\1$/, '$2'))
  }
  return commands.filter((words) => words.length > 0)
}
